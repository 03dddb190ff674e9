package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/iscsi"
)

func newIQN() *cobra.Command {
	return &cobra.Command{
		Use:   "iqn",
		Short: "Print this host's initiator name, which the storage's administrator has to allow",
		Long: "Print this host's initiator name. It is made once and kept in " + iscsi.InitiatorNameFile + ";\n" +
			"a user who may not write there has an own one, in $XDG_CONFIG_HOME/hawser or ~/.config/hawser.",
		Example: "  hawser iqn",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := initiatorName("")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), name)
			return err
		},
	}
}

// initiatorName is the one given, the host's, or the user's, in this order.
func initiatorName(given string) (string, error) {
	if given != "" {
		if err := iscsi.ValidName(given); err != nil {
			return "", usagef("--initiator: %v", err)
		}
		return given, nil
	}
	return initiatorNameIn(iscsi.InitiatorNameFile, os.UserConfigDir)
}

func initiatorNameIn(hostFile string, userDir func() (string, error)) (string, error) {
	name, err := iscsi.InitiatorName(hostFile)
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return name, err
	}
	dir, dirErr := userDir()
	if dirErr != nil {
		return "", fmt.Errorf("%w: run 'hawser iqn' once as root, give --initiator NAME, or set XDG_CONFIG_HOME", err)
	}
	name, userErr := iscsi.InitiatorName(filepath.Join(dir, "hawser", "initiatorname"))
	if userErr != nil {
		return "", fmt.Errorf("%w; and for this user: %w: run 'hawser iqn' once as root, or give --initiator NAME", err, userErr)
	}
	return name, nil
}
