package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hawser-storage/hawser/iscsi"
)

// The pages are made of what --help says, in the language of man(7). cobra/doc makes some too, but by way of Markdown: it joins the lines of
// a table, says no flag's type, and makes the program larger by half a megabyte.

const manExitStatus = `0 when it is done, 1 when it failed, and 2 when the command line makes no sense. A daemon that finds another one running ends
with 3. An error is one line on stderr, which says what failed, where, and what to do.`

// manFiles are on the page of the program.
var manFiles = [][2]string{
	{iscsi.InitiatorNameFile, "this host's name, which the storage has to allow"},
	{"/etc/hawser/volumes/NAME.conf", "the volume of hawser@NAME.service, which needs no daemon"},
	{systemState + "/state.db", "the volumes that the daemon attaches again when it starts"},
	{systemState + "/claims", "which sessions each process has, for the next one: those of a process that was killed may have left writes at the storage"},
	{"/run/hawser", "sockets at which the processes answer; those of a user other than root are in $XDG_RUNTIME_DIR/hawser"},
	{"/dev/hawser/NAME", "the device of a volume, by the volume's name"},
}

// manPage is the page of a command. It has no date, so that pages of one version do not differ.
func manPage(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"hawser %s\"\n.nh\n.ad l\n", roff(strings.ToUpper(pageName(c))), roff(thisVersion().Version))
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, ".SH %s\n%s", title, text)
		}
	}
	section("NAME", roff(pageName(c))+` \- `+roff(c.Short)+"\n")
	section("SYNOPSIS", manSynopsis(c))
	section("DESCRIPTION", manText(c.Long))
	section("COMMANDS", manCommands(c))
	section("OPTIONS", manFlags(c))
	section("EXAMPLES", manText(c.Example))
	section("EXIT STATUS", manText(manExitStatus))
	if c.HasParent() {
		section("SEE ALSO", manRef(c.Parent())+"\n")
		return b.String()
	}
	files := ""
	for _, f := range manFiles {
		files += manItem(`\fI`+roff(f[0])+`\fP`, f[1])
	}
	section("FILES", files)
	section("SEE ALSO", manText("OPERATING.md, among the documents that are installed with hawser: what an operator should know."))
	return b.String()
}

func manSynopsis(c *cobra.Command) string {
	words := strings.TrimPrefix(c.UseLine(), c.CommandPath())
	if c.HasAvailableSubCommands() {
		words = " COMMAND"
	}
	return `\fB` + roff(c.CommandPath()) + `\fP` + roff(words) + "\n"
}

func manCommands(c *cobra.Command) (text string) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			text += manItem(manRef(sub), sub.Short)
		}
	}
	return text
}

func manRef(c *cobra.Command) string { return `\fB` + roff(pageName(c)) + `\fP(1)` }

func manFlags(c *cobra.Command) (text string) {
	c.InitDefaultHelpFlag()
	c.Flags().VisitAll(func(f *pflag.Flag) {
		tag := `\fB` + roff("--"+f.Name) + `\fP`
		if f.Shorthand != "" {
			tag = `\fB` + roff("-"+f.Shorthand) + `\fP, ` + tag
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			tag += ` \fI` + roff(value) + `\fP`
		}
		if d := strings.Trim(f.DefValue, "[]"); !slices.Contains([]string{"", "false"}, d) {
			usage += " (default " + d + ")"
		}
		text += manItem(tag, usage)
	})
	return text
}

// manItem is a word, and what it means, further to the right.
func manItem(tag, text string) string { return ".TP\n" + tag + "\n" + roff(text) + "\n" }

// manText is paragraphs, between empty lines, and lines that stay as they are, which are indented.
func manText(text string) string {
	var b strings.Builder
	asIs := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		if indented := strings.HasPrefix(line, "  "); indented != asIs {
			asIs = indented
			b.WriteString(either(asIs, ".RS 4\n.nf\n", ".fi\n.RE\n"))
		}
		if line == "" {
			b.WriteString(".PP\n")
			continue
		}
		b.WriteString(roff(strings.TrimPrefix(line, "  ")) + "\n")
	}
	if asIs {
		b.WriteString(".fi\n.RE\n")
	}
	return b.String()
}

// roffWords are characters that roff would take for its own, or make prettier than a shell can read.
var roffWords = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// roff is a line that says what s says.
func roff(s string) string {
	words := roffWords.Replace(s)
	if strings.HasPrefix(words, ".") {
		return `\&` + words
	}
	return words
}
