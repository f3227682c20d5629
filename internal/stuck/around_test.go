package stuck

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/demo"
	"github.com/bearward/bearward/internal/doctor"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func init() { maps.Copy(reproductions, around) }

// plain is what a file says of an issuer on loopback.
const plain = "    allow_http: true"

// around are those about what is not in the token.
var around = map[string]func(*testing.T) string{
	"Entra's metadata says {tenantid}": func(t *testing.T) string {
		return examined(t, documents(t, `{"issuer":"ISSUER/{tenantid}/v2.0","jwks_uri":"ISSUER/jwks"}`, false), plain)
	},
	"The issuer is localhost outside and another name inside the container network": func(t *testing.T) string {
		inside := documents(t, `{"issuer":"http://localhost:8080/realms/demo","jwks_uri":"ISSUER/jwks"}`, false)
		return examined(t, inside+"/realms/demo", plain)
	},
	"The issuer is down when the server starts": func(t *testing.T) string {
		f := file(t, "http://127.0.0.1:1", plain)
		f.Admin = "127.0.0.1:0"
		_, admin := serve(t, f)
		resp := get(t, admin+"/readyz")
		if resp.status != http.StatusServiceUnavailable || !strings.Contains(resp.body, "127.0.0.1:1") {
			t.Errorf("%+v", resp)
		}
		return ""
	},
	"The clocks of both machines differ": func(t *testing.T) string {
		s, err := issuer.Start(issuer.Config{Now: func() time.Time { return time.Now().Add(5 * time.Minute) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return examined(t, s.URL(), plain)
	},
	"A CORS preflight gets 401": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		api := httpauth.Protect(iss.Guard(), middleware.Scopes("read"))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		for fields, want := range map[string]int{"Origin, Access-Control-Request-Method": http.StatusNoContent, "Origin": http.StatusUnauthorized} {
			r := httptest.NewRequest(http.MethodOptions, "/read", nil)
			for name := range strings.SplitSeq(fields, ", ") {
				r.Header.Set(name, map[string]string{"Origin": "https://page.example.test", "Access-Control-Request-Method": "GET"}[name])
			}
			w := httptest.NewRecorder()
			if api.ServeHTTP(w, r); w.Code != want {
				t.Errorf("%s: %d", fields, w.Code)
			}
		}
		return ""
	},
	"A health check gets 403": func(t *testing.T) string {
		s, err := server.New(t.Context(), file(t, "https://login.example.test", ""), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, outcome := s.Match("GET", "/healthz"); outcome != route.Unmatched {
			t.Errorf("%v", outcome)
		}
		return s.Guard.Deny(t.Context(), request("GET", "/healthz", ""), validate.ErrRouteDenied).Denial.Code.Fix()
	},
	"gRPC: a method or a stream is denied": func(t *testing.T) string {
		d, err := demo.Start(t.Context(), demo.Options{Free: true})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for method, want := range map[string]string{"/orders.v1.Orders/List": "Unauthenticated", "/orders.v1.Orders/Watch": "Unauthenticated", "/orders.v1.Orders/Delete": "PermissionDenied"} {
			reply, err := demo.Call{Addr: d.GRPC, Method: method, Stream: strings.HasSuffix(method, "Watch")}.Do(t.Context())
			if err != nil || reply.Status.Code().String() != want {
				t.Errorf("%s: %v %v", method, reply.Status, err)
			}
		}
		return ""
	},
	"Tests need an identity provider": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		guard := iss.Guard()
		passes(t, guard, iss.JWT())
		explained(t, guard, iss.Wrong("expired"))
		return ""
	},
	"Local development without https": func(t *testing.T) string {
		_, err := config.Parse("serve.yaml", []byte(text("http://127.0.0.1:8080", "")))
		if err == nil {
			t.Fatal("no fault")
		}
		return err.Error()
	},
	"Forwarded headers are missing": func(t *testing.T) string {
		return through(t, func(q *http.Request, _ *http.Request) {})
	},
	"Forwarded headers are the client's": func(t *testing.T) string {
		return through(t, func(q *http.Request, r *http.Request) { q.Header = r.Header })
	},
	"The issuer signs with HS256 only": func(t *testing.T) string {
		return examined(t, documents(t, `{"issuer":"ISSUER","id_token_signing_alg_values_supported":["HS256"]}`, false), plain)
	},
	"An internal authority signed the issuer's certificate": func(t *testing.T) string {
		return examined(t, documents(t, `{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks"}`, true), "    allow_private: true")
	},
	"Kubernetes: the certificate of discovery": func(t *testing.T) string {
		cluster := documents(t, `{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks"}`, true)
		return examined(t, cluster, "    preset: kubernetes\n    allow_private: true\n    require: {/kubernetes.io/namespace: [a]}")
	},
	"Kubernetes: discovery wants credentials": func(t *testing.T) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
		t.Cleanup(s.Close)
		return examined(t, s.URL, plain)
	},
	"MCP clients look for resource_metadata": func(t *testing.T) string {
		iss := bearwardtest.NewIssuer(t)
		cfg := iss.Config()
		cfg.Resource = resource
		guard := iss.Guard(cfg)
		_, d := guard.Decide(t.Context(), request("GET", "/", ""), middleware.Policy{})
		const at = "/.well-known/oauth-protected-resource"
		if challenge := strings.Join(d.Denial.Header["Www-Authenticate"], " "); !strings.Contains(challenge, `resource_metadata="`+resource+at+`"`) {
			t.Errorf("%s", challenge)
		}
		if status, _, body := guard.Metadata(request("GET", at, "")); status != http.StatusOK || !strings.Contains(string(body), resource) {
			t.Errorf("%d %s", status, body)
		}
		return ""
	},
}

// through is what doctor says through a proxy that asks the server, with the
// headers that question adds.
func through(t *testing.T, question func(q, r *http.Request)) string {
	t.Helper()
	f := file(t, "http://127.0.0.1:1", plain)
	api, _ := serve(t, f)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, api, http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		question(q, r)
		resp, err := http.DefaultTransport.RoundTrip(q)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_ = resp.Body.Close()
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
	}))
	t.Cleanup(front.Close)
	return doctor.Run(t.Context(), f, doctor.Options{Via: front.URL}).String()
}

// serve runs the server of a file until the test ends.
func serve(t *testing.T, f *config.File) (api, admin string) {
	t.Helper()
	out, in := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- server.Run(ctx, f, nil, in)
		_ = in.Close()
	}()
	lines := bufio.NewScanner(out)
	next := func() string {
		if !lines.Scan() {
			t.Fatal(<-done)
		}
		return "http://" + lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:]
	}
	api = next()
	if f.Admin != "" {
		admin = next()
	}
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return api, admin
}

type answer struct {
	status int
	body   string
}

func get(t *testing.T, url string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(body)}
}
