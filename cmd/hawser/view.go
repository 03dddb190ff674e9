package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// A view writes what there is for people, and returns it for programs.
type view func(ctx context.Context, args []string, text io.Writer) (data any, err error)

// showing makes a command of a view, which prints one of the two. With data may come an error about what is missing in it.
func showing(cmd *cobra.Command, see view) *cobra.Command {
	asJSON := cmd.Flags().Bool("json", false, "print JSON, for programs")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var text strings.Builder
		data, err := see(cmd.Context(), args, &text)
		switch {
		case data == nil:
			return err
		case *asJSON:
			return errors.Join(printJSON(cmd.OutOrStdout(), data), err)
		}
		_, writeErr := io.WriteString(cmd.OutOrStdout(), printable(text.String()))
		return errors.Join(writeErr, err)
	}
	return cmd
}

// showingVolumes is showing of the volume that is named, or of all.
func showingVolumes(cmd *cobra.Command, see func(servers []server, text io.Writer) (data any)) *cobra.Command {
	return showing(cmd, func(ctx context.Context, args []string, text io.Writer) (any, error) {
		servers, err := serversOf(ctx, perhaps(args))
		if len(servers) == 0 {
			return nil, err
		}
		return see(servers, text), err
	})
}
