package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version says what this binary is.
type version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"` // the tree had changes that are in no commit
	Time     string `json:"time"`     // of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersion() *cobra.Command {
	return showing(&cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `Print the version, the commit that it was built from, and the compiler and the platform that it was built with. The daemon may be of
another version: 'hawser status' says so.`,
		Example: "  hawser version\n  hawser version --json",
		Args:    cobra.NoArgs,
	}, seeVersion)
}

func seeVersion(_ context.Context, _ []string, text io.Writer) (any, error) {
	v := thisVersion()
	commit := v.Commit
	if v.Modified {
		commit += " with changes"
	}
	fmt.Fprintf(text, "hawser %s, commit %s, %s, %s\n", v.Version, commit, v.Go, v.Platform)
	return v, nil
}

func thisVersion() version {
	v := version{Version: "unknown", Commit: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
