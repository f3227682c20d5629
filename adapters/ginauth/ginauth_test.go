package ginauth_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newGuard(t *testing.T) (*issuer.Server, *middleware.Guard) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	iss, err := issuer.Start(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = iss.Close() })
	g, err := bearward.New(t.Context(), bearward.Config{
		Resource: issuer.DefaultAudience, Logger: slog.New(slog.DiscardHandler),
		Issuers: []bearward.Issuer{{URL: iss.URL(), AllowHTTP: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return iss, g
}

func get(h http.Handler, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/orders/1", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// TestAbort: after a refusal nothing of the chain runs, and nothing is added
// to the answer.
func TestAbort(t *testing.T) {
	iss, g := newGuard(t)
	token, err := iss.Mint("", iss.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	ran, aborted := 0, false
	e := gin.New()
	e.Use(func(c *gin.Context) {
		c.Next()
		aborted = c.IsAborted()
	})
	group := e.Group("/", ginauth.Protect(g, middleware.Policy{}))
	group.Use(func(*gin.Context) { ran++ })
	group.GET("/orders/:id", ginauth.Protect(g, middleware.Scopes("admin")), func(*gin.Context) { ran++ })
	if rec := get(e, ""); rec.Code != 401 || ran != 0 || !aborted || rec.Body.String() != `{"title":"Unauthorized","status":401}`+"\n" {
		t.Errorf("%d %s, %d handlers ran", rec.Code, rec.Body, ran)
	}
	if rec := get(e, token); rec.Code != 403 || ran != 1 || !aborted || rec.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d, %d handlers ran, aborted %t", rec.Code, ran, aborted)
	}
}

type observer func(middleware.Event)

func (o observer) Observe(_ context.Context, e middleware.Event) { o(e) }

// TestRoute: an event has gin's name of the route.
func TestRoute(t *testing.T) { // [PV-02]
	gin.SetMode(gin.ReleaseMode)
	var route string
	g, err := bearward.New(t.Context(), bearward.Config{
		Resource: issuer.DefaultAudience, Observer: observer(func(e middleware.Event) { route = e.Route }),
		Issuers: []bearward.Issuer{{URL: "https://login.example.test"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	e := gin.New()
	e.GET("/orders/:id", ginauth.Protect(g, middleware.Policy{}))
	if get(e, ""); route != "/orders/:id" {
		t.Errorf("%q", route)
	}
}

// TestFaultyPolicyPanics: at start.
func TestFaultyPolicyPanics(t *testing.T) {
	_, g := newGuard(t)
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "MaxAge") {
			t.Errorf("%q", text)
		}
	}()
	ginauth.Protect(g, middleware.Policy{MaxAge: -1})
	t.Error("a faulty policy was taken")
}

// TestToken: nothing without a guard, and what a test planted.
func TestToken(t *testing.T) {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	if token, ok := ginauth.Token(c); ok || token != nil {
		t.Errorf("%v", token)
	}
}
