package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Run is bearward version: what the toolchain recorded.
func (versionCmd) Run(std streams) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		_, err := fmt.Fprintln(std.out, "bearward, version unknown")
		return err
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	line := "bearward " + info.Main.Version
	if revision := settings["vcs.revision"]; revision != "" {
		line += " " + revision
		if settings["vcs.modified"] == "true" {
			line += " with changes"
		}
	}
	_, err := fmt.Fprintf(std.out, "%s (%s)\n", line, info.GoVersion)
	return err
}
