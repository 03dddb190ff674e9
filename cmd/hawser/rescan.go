package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newRescan() *cobra.Command {
	return &cobra.Command{
		Use:   "rescan [NAME | DEVICE]",
		Short: "Ask the storage again what a volume is, or all, such as after it was resized",
		Long: `Ask the storage by every path what a volume is, or all volumes, and print what came of it. A volume that has grown is larger at
once; one that has shrunk is so only if nobody has its device open.`,
		Example:           "  hawser rescan data && resize2fs /dev/hawser/data",
		Args:              perhapsVolume,
		ValidArgsFunction: completeVolumes,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			servers, err := serversOf(ctx, perhaps(args))
			errs := []error{err}
			for _, s := range servers {
				for i := range s.volumes {
					name := s.volumes[i].Name
					if err := s.Rescan(ctx, name); err != nil {
						errs = append(errs, fromService(err))
						continue
					}
					v, err := s.Volume(ctx, name)
					if errs = append(errs, err); err == nil {
						fmt.Fprintf(cmd.OutOrStdout(), "rescanned %s %s\n", v.Name, summary(&v))
					}
				}
			}
			return errors.Join(errs...)
		},
	}
}
