package doctor

import (
	"context"
	"fmt"
	"os"
	"runtime"
)

var (
	fileOpen = define("file_readable", Warning, "{key} names {file}, which every user of this machine can read ({mode})", "chmod 600 {file}, owned by the user of bearward serve; as a Kubernetes secret defaultMode: 0400")
	fileFine = define("files", OK, "the files with secrets are readable by their owner and group only", "")
)

const (
	others = 0o007 // bits of a mode
)

// files looks at who can read secrets. Whether they can be read here, and what is
// in them, was seen when the file was loaded.
func files(_ context.Context, e *exam) {
	if runtime.GOOS == "windows" {
		return // modes say nothing there
	}
	secret := map[string]string{}
	order := []string{}
	add := func(key, name string) {
		if name != "" {
			secret[key] = name
			order = append(order, key)
		}
	}
	for n := range e.file.Issuers {
		if in := e.file.Issuers[n].Introspection; in != nil {
			path := fmt.Sprintf("issuers[%d].introspection.", n)
			add(path+"client_secret_file", in.ClientSecretFile)
			add(path+"key_file", in.KeyFile)
			add(path+"token_file", in.TokenFile)
		}
	}
	if e.file.TLS != nil {
		add("tls.key_file", e.file.TLS.KeyFile)
	}
	if e.file.Redis != nil {
		add("redis.key_file", e.file.Redis.KeyFile)
	}
	if e.file.DPoP != nil {
		add("dpop.nonce_keys_file", e.file.DPoP.NonceKeysFile)
	}
	open := 0
	for _, key := range order {
		info, err := os.Stat(secret[key])
		if err == nil && info.Mode().Perm()&others != 0 {
			open++
			e.say(fileOpen, "key", key, "file", secret[key], "mode", info.Mode().Perm().String())
		}
	}
	if len(order) > 0 && open == 0 {
		e.say(fileFine)
	}
}
