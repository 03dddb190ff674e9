package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// everyCommand is the program's own ones, the root first.
func everyCommand() (all []*cobra.Command) {
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		all = append(all, c)
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				add(sub)
			}
		}
	}
	add(newRoot())
	return all
}

// TestCommandsAreDescribed: the manual is made of this.
func TestCommandsAreDescribed(t *testing.T) {
	all := everyCommand()
	if len(all) < 14 {
		t.Errorf("there are %d commands", len(all))
	}
	for _, c := range all {
		if c.Short == "" || c.Long == "" || c.Example == "" {
			t.Errorf("%s: got Short %q, Long %q, Example %q, want all", c.CommandPath(), c.Short, c.Long, c.Example)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if value, usage := pflag.UnquoteUsage(f); usage == "" || strings.HasPrefix(value, "string") || value == "int" {
				t.Errorf("%s --%s: got value %q, usage %q, want words for both", c.CommandPath(), f.Name, value, usage)
			}
		})
		for line := range strings.SplitSeq(c.Example, "\n") {
			if !strings.HasPrefix(line, "  ") || len(line) > 76 {
				t.Errorf("%s: example %q is not indented, or too long for a page", c.CommandPath(), line)
			}
		}
	}
}

// TestExamples: their commands and flags are there, and the arguments are as many as they may be.
func TestExamples(t *testing.T) {
	n := 0
	for _, c := range everyCommand() {
		text := strings.NewReplacer("\\\n", " ", "&&", "\n", "|", "\n", "<(", "\n", ")", "\n", ">", "\n", " # ", "\n").Replace(c.Example)
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "hawser" {
				continue
			}
			n++
			example, args, err := newRoot().Find(words[1:])
			if err == nil {
				err = example.ParseFlags(args)
			}
			if err == nil {
				err = example.ValidateArgs(example.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: example %q: %v", c.CommandPath(), strings.TrimSpace(line), err)
			}
		}
	}
	if n < 20 {
		t.Errorf("%d examples were found", n)
	}
}

// writeManual lets the program write its pages to a new directory.
func writeManual(t *testing.T) (pages map[string]string) {
	t.Helper()
	dir := t.TempDir()
	if status, stdout, stderr := command(t, "man", dir); status != exitDone || stdout+stderr != "" {
		t.Fatalf("got status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	return readManual(t, dir)
}

func readManual(t *testing.T, dir string) (pages map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	pages = map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[e.Name()] = string(text)
	}
	return pages
}

// TestManual has a page for each command, with all its flags, and the same one every time.
func TestManual(t *testing.T) {
	pages := writeManual(t)
	if diff := cmp.Diff(pages, writeManual(t)); diff != "" {
		t.Errorf("two runs differ: first - second +:\n%s", diff)
	}
	all := everyCommand()
	if len(pages) != len(all) {
		t.Errorf("got %d pages of %d commands", len(pages), len(all))
	}
	for _, c := range all {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		page := pages[name]
		for _, title := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"} {
			if !strings.Contains(page, "\n.SH "+title+"\n") {
				t.Errorf("%s has no section %s", name, title)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, ".TP\n\\fB"+strings.ReplaceAll("--"+f.Name, "-", `\-`)+`\fP`) {
				t.Errorf("%s says nothing of --%s", name, f.Name)
			}
		})
	}
	if status, _, stderr := command(t, "man", filepath.Join(t.TempDir(), "nosuch")); status != exitFailed || !strings.Contains(stderr, "nosuch") {
		t.Errorf("without the directory: got status %d, %q", status, stderr)
	}
}

// TestManPage has everything in it that is not only text.
func TestManPage(t *testing.T) {
	c := &cobra.Command{
		Use:   "do [NAME]",
		Short: "Do what's to do",
		Long: `.dotted, 'quoted', C:\path, ~/.x ^ ` + "`y`" + `

  word     a line
  .other   --another

Then more,
.and more.`,
		Example: "  hawser do 'it'\n  hawser do \\\n      that",
		RunE:    func(*cobra.Command, []string) error { return nil },
	}
	c.Flags().BoolP("yes", "y", false, "be sure")
	c.Flags().String("where-to", "", "the `PLACE`")
	c.Flags().StringSlice("lists", []string{"a", "b"}, "`WORD`s")
	c.Flags().Int("count", 3, "a `NUMBER`")
	root := newRoot()
	root.AddCommand(c)
	golden(t, "man_page", manPage(c), map[string]string{"hawser " + roff(thisVersion().Version): "hawser v1.0.0"})
}

// TestManualCanBeRead lets groff, which is what man calls, complain about the pages.
func TestManualCanBeRead(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed: it is in groff-base, which comes with man-db")
	}
	for name, page := range writeManual(t) {
		cmd := exec.Command(groff, "-ww", "-man", "-Tutf8", "-rLL=78n")
		cmd.Stdin = strings.NewReader(page)
		var text, complaints bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 || text.Len() == 0 {
			t.Errorf("%s: %v, a page of %d bytes\n%s", name, err, text.Len(), &complaints)
		}
	}
}

// TestInstallAsksTheProgram: what the scripts install is what this program says of itself.
func TestInstallAsksTheProgram(t *testing.T) {
	const scripts = "../../scripts/packaging/"
	for _, file := range []string{"install.sh", "uninstall.sh", "manifest.sh"} {
		if _, err := os.ReadFile(scripts + file); err != nil { // so that go test tries again when it has changed
			t.Fatal(err)
		}
	}
	root := t.TempDir()
	run := func(script string) {
		t.Helper()
		cmd := exec.Command(scripts + script)
		cmd.Env = append(os.Environ(), "DESTDIR="+root, "PREFIX=/usr", "BINARY="+os.Args[0], asHawser+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	run("install.sh")
	if diff := cmp.Diff(readManual(t, filepath.Join(root, "usr/share/man/man1")), writeManual(t)); diff != "" {
		t.Errorf("pages: got - want +:\n%s", diff)
	}
	_, want, _ := command(t, "completion", "bash")
	got, err := os.ReadFile(filepath.Join(root, "usr/share/bash-completion/completions/hawser"))
	if err != nil || string(got) != want || want == "" {
		t.Errorf("completion: got %d bytes, want %d, %v", len(got), len(want), err)
	}
	run("uninstall.sh")
	if left := readManual(t, filepath.Join(root, "usr/share/man/man1")); len(left) > 0 {
		t.Errorf("uninstall.sh leaves %d pages", len(left))
	}
}
