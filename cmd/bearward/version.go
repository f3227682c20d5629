package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run is bearward version.
func (versionCmd) Run(std streams) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	_, err := fmt.Fprintln(std.out, version(info))
	return err
}

// version is what the toolchain recorded, on one line: the module's version, the
// commit, its time and whether the tree had other changes, the toolchain and the
// platform.
func version(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	line := "bearward "
	if info.Main.Version != "" {
		line += info.Main.Version
	} else {
		line += "of unknown version"
	}
	if revision := settings["vcs.revision"]; revision != "" {
		line += " " + revision
		if at := settings["vcs.time"]; at != "" {
			line += " of " + at
		}
		if settings["vcs.modified"] == "true" {
			line += " with changes"
		}
	}
	return fmt.Sprintf("%s (%s %s/%s)", line, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}
