package api

import (
	"slices"
)

// maxSeconds bounds times, in seconds: ten years, which a time.Duration can hold.
const maxSeconds = 10 * 365 * 24 * 3600

// Validate checks what can be said of a request before anything is done. Its errors have kind [Usage].
func (r *AttachRequest) Validate() error {
	if r.Name != "" {
		if err := ValidName(r.Name); err != nil {
			return err
		}
	}
	if len(r.URLs) == 0 || slices.Contains(r.URLs, "") {
		return errorf(Usage, "a volume needs a URL: iscsi://host[:port][,host...]/target-iqn/lun")
	}
	if err := ValidDevice(r.Device); err != nil {
		return err
	}
	return r.Options.validate()
}

func (o *Options) validate() error {
	for name, v := range map[string]float64{
		"fence_timeout":     o.FenceTimeout,
		"dead_conn_timeout": o.DeadConnTimeout,
		"login_timeout":     o.LoginTimeout,
		"noop_out_interval": o.NOOPInterval,
		"noop_out_timeout":  o.NOOPTimeout,
	} {
		if v < 0 || v > maxSeconds {
			return errorf(Usage, "%s: %v is not within 0 and %d seconds", name, v, maxSeconds)
		}
	}
	if o.NoPathRetry != nil && *o.NoPathRetry > maxSeconds {
		return errorf(Usage, "no_path_retry: %v is more than %d seconds", *o.NoPathRetry, maxSeconds)
	}
	for name, v := range map[string]int{"socket_buffer": o.SocketBuffer + 1, "cmds_max": o.CmdsMax, "memory": o.Memory} {
		if v < 0 {
			return errorf(Usage, "%s: a negative number makes no sense", name)
		}
	}
	for name, list := range map[string][]string{"header_digest": o.HeaderDigest, "data_digest": o.DataDigest} {
		for _, d := range list {
			if d != "None" && d != "CRC32C" {
				return errorf(Usage, "%s: %q: want None or CRC32C", name, d)
			}
		}
	}
	for name, choice := range map[string]string{"initial_r2t": o.InitialR2T, "immediate_data": o.ImmediateData} {
		if !slices.Contains([]string{"", "yes", "no"}, choice) {
			return errorf(Usage, "%s: %q is neither yes nor no", name, choice)
		}
	}
	return nil
}
