package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// server is a process, the daemon or one in the foreground, with the volumes that were asked for.
type server struct {
	*api.Client
	volumes []api.Volume
}

// serversOf asks all processes for a volume, by its name or device, or for all volumes if name is "". With what was found may come an
// error about a process that did not answer.
func serversOf(ctx context.Context, name string) ([]server, error) {
	clients, err := api.Discover(ctx)
	if len(clients) == 0 {
		return nil, err
	}
	name = deviceOf(name)
	var found []server
	for _, c := range clients {
		all, askErr := volumesOf(ctx, c, name)
		switch {
		case askErr == nil:
			found = append(found, server{c, all})
		case name == "" || api.KindOf(askErr) != api.NotFound:
			err = errors.Join(err, fmt.Errorf("%s: %w", processName(c.Version()), askErr))
		}
	}
	switch {
	case name == "":
		return found, err
	case len(found) == 0:
		return nil, errors.Join(noSuchVolume(name), err)
	}
	return found, nil
}

// volumesOf asks one process. A process may have very many, so the one that is wanted is asked for alone.
func volumesOf(ctx context.Context, c *api.Client, name string) ([]api.Volume, error) {
	if name == "" {
		return c.Volumes(ctx)
	}
	v, err := c.Volume(ctx, name)
	return []api.Volume{v}, err
}

func noSuchVolume(name string) error {
	return &api.Error{Kind: api.NotFound, Text: fmt.Sprintf("there is no volume %s: 'hawser list' shows those there are", printable(name))}
}

// volumeOf finds one volume. A process in the foreground may have one of a name that the daemon has as well; devices are never shared.
func volumeOf(ctx context.Context, name string) (*api.Client, *api.Volume, error) {
	servers, err := serversOf(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if len(servers) == 1 {
		return servers[0].Client, &servers[0].volumes[0], nil
	}
	var places []string
	for _, s := range servers {
		places = append(places, place(&s.volumes[0])+" of "+processName(s.Version()))
	}
	return nil, nil, fmt.Errorf("%d volumes have the name %s: say which by its device: %s", len(servers), name, strings.Join(places, ", "))
}

// deviceOf follows the link to a device, such as /dev/hawser/NAME.
func deviceOf(name string) string {
	if !filepath.IsAbs(name) {
		return name
	}
	if device, err := filepath.EvalSymlinks(name); err == nil {
		return device
	}
	if device, err := os.Readlink(name); err == nil && filepath.IsAbs(device) { // the device has no node
		name = device
	}
	return filepath.Clean(name)
}

// processName is who serves a volume.
func processName(v api.Version) string {
	if v.Daemon {
		return "daemon"
	}
	return fmt.Sprintf("process %d", v.PID)
}

// fromService makes a usage error of what a process found wrong with a request.
func fromService(err error) error {
	if err != nil && api.KindOf(err) == api.Usage {
		return usagef("%v", err)
	}
	return err
}

// completeVolumes completes names of volumes, and devices after a slash.
func completeVolumes(cmd *cobra.Command, args []string, start string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	servers, _ := serversOf(cmd.Context(), "") // what can be had
	for _, s := range servers {
		for i := range s.volumes {
			v := &s.volumes[i]
			word, about := v.Name, place(v)
			if strings.HasPrefix(start, "/") {
				word, about = v.Device, v.Name
			}
			if word != "" {
				words = append(words, cobra.CompletionWithDesc(printable(word), printable(about)))
			}
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
