package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

func newStatus() *cobra.Command {
	return showingVolumes(&cobra.Command{
		Use:   "status [NAME | DEVICE]",
		Short: "Show how a volume stands, or all, and the processes that serve them",
		Long: `Show how a volume stands, or all volumes, in the form of multipath -ll: name, identity and device, then size and state, then the
policy and the paths. What needs attention follows in lines that begin with "!". At the end is who serves the volumes.`,
		Example: `  hawser status
  hawser status /dev/hawser/data
  hawser status --json | jq '.[].volumes[] | {name, state}'`,
		Args:              perhapsVolume,
		ValidArgsFunction: completeVolumes,
	}, seeStatus)
}

// statusOf is a process as --json prints it.
type statusOf struct {
	Process api.Version  `json:"process"`
	Socket  string       `json:"socket"`
	Volumes []api.Volume `json:"volumes"`
}

// seeStatus is a paragraph for each volume, and one for each process.
func seeStatus(servers []server, text io.Writer) any {
	all := []statusOf{}
	for _, s := range servers {
		all = append(all, statusOf{s.Version(), s.Path(), s.volumes})
		for i := range s.volumes {
			describeVolume(text, &s.volumes[i])
		}
	}
	for _, s := range servers {
		describeProcess(text, s.Version())
	}
	return all
}
