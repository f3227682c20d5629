package readme

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/tools/markers"
)

// prelude is what the text around a fragment has introduced: a fragment may use
// these names without declaring them.
const prelude = `package fragment

import (
	"context"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"google.golang.org/grpc"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

var (
	_ = context.Background
	_ = log.Fatal
	_ net.Conn
	_ = time.Now
	_ testing.TB
	_ *gin.Engine
	_ *grpc.Server
	_ bearward.Config
	_ = ginauth.Protect
	_ = grpcauth.Unary
	_ = httpauth.Protect
	_ = bearwardtest.NewIssuer
	_ middleware.Policy
	_ validate.Token
	_ dpop.Config
)

var (
	ctx    = context.Background()
	guard  *middleware.Guard
	mux    = http.NewServeMux()
	router *gin.Engine
	orders http.Handler
	list   gin.HandlerFunc
	w      http.ResponseWriter
	r      *http.Request
	t      *testing.T
	err    error
)

func use(...any) {}
`

func readme(t *testing.T) (root, text string) {
	t.Helper()
	root, err := markers.Root()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return root, string(raw)
}

func TestReadmeIsShort(t *testing.T) {
	_, text := readme(t)
	if n := strings.Count(text, "\n"); n > 200 {
		t.Errorf("%d lines, at most 200", n)
	}
	blocks := Blocks(text)
	if len(blocks) == 0 {
		t.Fatal("no code block")
	}
	if n := strings.Count(blocks[0].Text, "\n"); n > 15 {
		t.Errorf("the first code block has %d lines, at most 15", n)
	}
}

// Every Go block of the README and of the guide to sender constraints compiles: a
// complete file by itself, a fragment as the body of a function or as declarations.
func TestReadmeCompiles(t *testing.T) {
	root, text := readme(t)
	guide, err := os.ReadFile(filepath.Join(root, "docs", "sender-constraints.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range Blocks(string(guide)) {
		if block.Language == "go" {
			t.Run("guide, line "+strconv.Itoa(block.Line), func(t *testing.T) { build(t, root, fragment(block.Text)) })
		}
	}
	programs := 0
	for _, block := range Blocks(text) {
		if block.Language != "go" {
			continue
		}
		t.Run("line "+strconv.Itoa(block.Line), func(t *testing.T) {
			if block.Program() {
				programs++
				build(t, root, block.Text)
				return
			}
			build(t, root, fragment(block.Text))
		})
	}
	if programs == 0 {
		t.Error("no complete program")
	}
}

func fragment(text string) string {
	for _, keyword := range []string{"func ", "type ", "var ", "const "} {
		if strings.HasPrefix(text, keyword) {
			return prelude + text
		}
	}
	return prelude + "\nfunc _() {\n" + text + "}\n"
}

// build compiles the text as a package of this module, through an overlay that
// puts it into a directory which does not exist.
func build(t *testing.T, root, text string) {
	t.Helper()
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	const pkg = "internal/tools/readme/block"
	raw, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(root, filepath.FromSlash(pkg), "main.go"): source},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{source: []byte(text), overlay: raw} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-overlay", overlay, "-o", filepath.Join(dir, "out"), "./"+pkg)
	cmd.Dir = root
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s", err, strings.ReplaceAll(out.String(), source, "README block"))
	}
}

func TestBlocks(t *testing.T) {
	blocks := Blocks("a\n```go\n// words\npackage main\n```\n```\nx := 1\n```\n")
	if len(blocks) != 2 || !blocks[0].Program() || blocks[0].Line != 3 || blocks[1].Program() || blocks[1].Language != "" {
		t.Errorf("%+v", blocks)
	}
}
