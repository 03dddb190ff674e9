package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

func newDetach() *cobra.Command {
	force, all := false, false
	cmd := &cobra.Command{
		Use:   "detach {NAME | DEVICE | --all}",
		Short: "Detach a volume",
		Long: `Write back what is in flight and end a volume, which is named by its name or its device. A process in the foreground ends with it.

A device that is mounted, or open, stays, and the error says who has it. With --force it goes nevertheless: what is in flight is
given the time to finish, and who still has the device gets I/O errors.

With --all the daemon detaches each of its volumes as soon as nobody uses it, and forgets none: they are attached again when it
is started. That is for the shutdown of the host.`,
		Example: "  umount /srv && hawser detach data\n  hawser detach /dev/nbd0 --force",
		Args: func(cmd *cobra.Command, args []string) error {
			if all && (force || len(args) > 0) {
				return usagef("detach: --all goes with nothing else")
			}
			if all {
				return nil
			}
			return oneVolume(cmd, args)
		},
		ValidArgsFunction: completeVolumes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all {
				return releaseAll(cmd.Context())
			}
			s, v, err := volumeOf(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := s.Detach(cmd.Context(), v.Name, force); err != nil {
				return adviseDetach(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "detached %s %s\n", v.Name, place(v))
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also if the device is in use")
	cmd.Flags().BoolVar(&all, "all", false, "all volumes of the daemon, until it is started again")
	return cmd
}

// releaseAll lets the daemon give its volumes up. One that does not run has none.
func releaseAll(ctx context.Context) error {
	d, err := api.DialDaemon(ctx)
	if api.KindOf(err) == api.NotRunning {
		return nil
	}
	if err != nil {
		return err
	}
	return fromService(d.Release(ctx))
}

// adviseDetach says what to do about a device that is in use.
func adviseDetach(err error) error {
	if api.KindOf(err) == api.Busy {
		return fmt.Errorf("%w: unmount it and end who uses it, or detach with --force", err)
	}
	return fromService(err)
}

// oneVolume wants a volume's name or device.
func oneVolume(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usagef("%s: want one volume, by its name or its device", cmd.Name())
	}
	return nil
}

// perhapsVolume wants a volume's name or device, or nothing, which means all.
func perhapsVolume(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return oneVolume(cmd, args)
}

// perhaps is the volume that was named, or "".
func perhaps(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
