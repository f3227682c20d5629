package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"go.yaml.in/yaml/v4"
	"google.golang.org/protobuf/encoding/protojson"
)

// The example is what Envoy reads: every key is one of its types, with the values
// that these demand.
func TestEnvoyFile(t *testing.T) {
	for _, name := range []string{"envoy.yaml", "envoy-grpc.yaml"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "examples", "forward-auth", "envoy", name))
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := yaml.Unmarshal(raw, &tree); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		var bootstrap bootstrapv3.Bootstrap
		if err := protojson.Unmarshal(text, &bootstrap); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := bootstrap.ValidateAll(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
