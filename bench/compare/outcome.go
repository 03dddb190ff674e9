package main

// An outcome is a row, measured.
type outcome struct {
	Row     string              `json:"row"`
	Bridges map[string]figures  `json:"bridges"`
	Samples map[string][]sample `json:"samples"`
	Ratios  ratios              `json:"ratios"`
	Floors  []floor             `json:"floors"`

	own, peer string // names of the bridges
}

// ratios are hawser's median over the peer's.
type ratios struct {
	IOPS float64 `json:"iops"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	CPU  float64 `json:"cpu"`
}

// A floor is one ratio that was asked for, and whether it was reached.
type floor struct {
	What    string  `json:"what"`
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
	Got     float64 `json:"got"`
	Met     bool    `json:"met"`
}

func newOutcome(r row, own, peer string, samples map[string][]sample) outcome {
	o := outcome{Row: r.name, Samples: samples, Bridges: map[string]figures{}, own: own, peer: peer}
	for name, s := range samples {
		o.Bridges[name] = medians(s)
	}
	a, b := o.Bridges[own], o.Bridges[peer]
	o.Ratios = ratios{IOPS: a.IOPS / b.IOPS, P50: a.P50 / b.P50, P99: a.P99 / b.P99, CPU: a.CPUPerIO / b.CPUPerIO}
	o.Floors = r.judge(o.Ratios)
	return o
}

func (r row) judge(got ratios) (floors []floor) {
	if r.iops != 0 {
		floors = append(floors, floor{What: "IOPS", AtLeast: r.iops, Got: got.IOPS, Met: got.IOPS >= r.iops})
	}
	for _, most := range []struct {
		what      string
		limit, is float64
	}{{"p50", r.p50, got.P50}, {"p99", r.p99, got.P99}, {"CPU", r.cpu, got.CPU}} {
		if most.limit != 0 {
			floors = append(floors, floor{What: most.what, AtMost: most.limit, Got: most.is, Met: most.is <= most.limit})
		}
	}
	return floors
}
