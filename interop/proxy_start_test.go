package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What stands around an example: what Debian's own configuration does, in
// places that belong to one test. Each proxy is one process in the foreground.

func startNginx(at placement) []string {
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s;", kind, filepath.Join(at.dir, kind))
	}
	main := around(at, fmt.Sprintf(`daemon off;
master_process off;
pid %s/pid;
events { worker_connections 4096; }
http {
	access_log off;
	%s
	include %s;
}
`, at.dir, temp, at.example))
	return []string{"-p", at.dir, "-c", main, "-e", "stderr"}
}

// startHAProxy has it share its port with nobody.
func startHAProxy(at placement) []string { return []string{"-db", "-dR", "-f", at.example} }

func startCaddy(at placement) []string {
	text, err := os.ReadFile(at.example)
	if err != nil {
		panic(err)
	}
	main := around(at, fmt.Sprintf(`{
	admin off
	auto_https disable_redirects
	default_bind 127.0.0.1
	https_port %d
}
%s`, at.port, text))
	return []string{"run", "--adapter", "caddyfile", "--config", main}
}

// modules are those that the example names, and what Debian always has.
var modules = []string{
	"mpm_event", "authz_core", "socache_shmcb", "ssl", "headers", "proxy", "proxy_http", "lua",
}

func startApache(at placement) []string {
	var load strings.Builder
	for _, m := range modules {
		fmt.Fprintf(&load, "LoadModule %s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
	}
	if os.Geteuid() == 0 {
		load.WriteString("User www-data\nGroup www-data\n")
	}
	main := around(at, fmt.Sprintf(`ServerRoot %s
ServerName localhost
PidFile pid
DefaultRuntimeDir %[1]s
Mutex pthread
SSLSessionCache shmcb:%[1]s/sessions(512000)
ErrorLog /dev/stderr
Listen 127.0.0.1:%d
%s
Include %s
`, at.dir, at.port, &load, at.example))
	return []string{"-X", "-f", main}
}

// around writes the file that includes the example.
func around(at placement, text string) string {
	path := filepath.Join(at.dir, "main")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
	return path
}
