package middleware

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/internal/shares"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
)

// Config makes a Guard from verifiers that exist already. Most programs call
// bearward.New, which builds them.
type Config struct {
	Resource   string // this API's identifier (RFC 9728 resource); an https URI turns the metadata document on
	Realm      string // of challenges; default Resource
	NoMetadata bool   // no RFC 9728 document, no resource_metadata in challenges
	Issuers    []Issuer

	DPoP             *dpop.Verifier // judges proofs; nil: the scheme DPoP is not offered
	PublicURLs       []string       // origins, each with the prefix that is not in the path received
	TrustedProxies   []netip.Prefix // whose headers are believed, Forwarded and ClientCertHeader
	Forwarded        Forwarded
	ClientCertHeader mtls.Header
	FAPI             bool // every token has to be sender-constrained, and no mode of nonces is adaptive

	// ReportOnly lets pass what any policy refuses, without token and
	// credentials, and reports it to the Observer. What no policy covers, and
	// what is broken on our side, is refused all the same.
	ReportOnly bool

	// Cache remembers verified JWTs; nil: every signature is verified on each
	// request. It belongs to this Guard, which closes it: two Guards never share one,
	// for what one of them verified is no verdict of the other's.
	Cache Cache

	Revocation validate.Revocation // asked before a valid token is accepted; nil: none
	Observer   Observer            // nil: none
	Logger     *slog.Logger        // for faults of ours; nil: slog.Default()
	Clock      func() time.Time    // nil: time.Now
}

// Issuer is one issuer whose tokens the Guard accepts.
type Issuer struct {
	URL      string            // the identifier, equal to iss
	Name     string            // short and unique: metric label, named by policies
	Audience []string          // what its tokens are accepted for
	Leeway   time.Duration     // clock difference allowed on each use, at most validate.MaxLeeway
	Verifier validate.Verifier // judges its JWTs; nil: it has none
	Keys     Keys              // nil: nothing to load or close

	Introspection Introspection // nil: nobody is asked about its tokens
	Opaque        bool          // its opaque tokens are judged by Introspection
	OpaquePrefix  string        // how they begin; "": they have no mark
	Confirm       bool          // its JWTs need the live answer of Introspection too
	ConfirmAge    time.Duration // how old that answer may be; 0: as Introspection says

	// NoAudience says that something else stands in for aud in its tokens, so
	// no route can ask for an audience.
	NoAudience bool
}

// Cache is what a *cache.Cache does.
type Cache interface {
	validate.Memory
	Flush(digest [sha256.Size]byte)
	Close() error
}

// Introspection is what an *introspect.Verifier does.
type Introspection interface {
	validate.Verifier // judges opaque tokens
	// Confirm returns nil if the server says now, or said at most maxAge ago,
	// that a JWT which is otherwise valid is active.
	Confirm(ctx context.Context, raw string, t *validate.Token, maxAge time.Duration) error
	Flush(raw string)
	Load(ctx context.Context) error
	Health() introspect.Health
	Close() error
}

// leaf is the issuer in the router.
func (i *Issuer) leaf() validate.Leaf {
	l := validate.Leaf{Issuer: i.URL, JWT: i.Verifier}
	if i.Opaque && i.Introspection != nil {
		l.Opaque, l.Prefix = i.Introspection, i.OpaquePrefix
	}
	return l
}

// check returns the faults of one issuer by itself.
func (i *Issuer) check() error {
	var faults []error
	if i.Leeway < 0 || i.Leeway > validate.MaxLeeway { // [CL-13]
		faults = append(faults, fmt.Errorf("issuer %q: leeway %v is not within 0 to %v", i.URL, i.Leeway, validate.MaxLeeway))
	}
	if i.Introspection == nil && (i.Opaque || i.OpaquePrefix != "" || i.Confirm || i.ConfirmAge != 0) {
		faults = append(faults, fmt.Errorf("issuer %q: opaque tokens and live answers need introspection", i.URL))
	}
	if i.ConfirmAge < 0 || i.ConfirmAge != 0 && !i.Confirm {
		faults = append(faults, fmt.Errorf("issuer %q: ConfirmAge %v is negative, or Confirm is not set", i.URL, i.ConfirmAge))
	}
	return errors.Join(faults...)
}

// Keys is the upstream side of an issuer: what jwks sources have.
type Keys interface {
	Load(ctx context.Context) error // fetches now; for fail-fast start-up
	Health() jwks.Health            // from the last real fetch; makes no call
	Close() error
}

// Guard decides about requests. It is safe for concurrent use.
type Guard struct {
	config   Config
	list     []*Issuer
	byURL    map[string]*Issuer
	issuers  *validate.Issuers
	realm    string
	schemes  []string // offered, in the order of challenges
	origins  *origins
	believed []string // fields of trusted proxies that a decision may depend on
	metadata *metadata
	gate     gate
	shared   any // what package bearward keeps for an Update

	forgeries                atomic.Int64
	forgeryTold, unknownTold atomic.Int64 // when, in nanoseconds
}

func init() {
	shares.Put = func(guard, shared any) { guard.(*Guard).shared = shared }
	shares.Of = func(guard any) any { return guard.(*Guard).shared }
}

// New checks the configuration, reports all faults at once, and makes no call.
func New(config Config) (*Guard, error) {
	g := &Guard{config: config, byURL: map[string]*Issuer{}}
	if g.config.Clock == nil {
		g.config.Clock = time.Now
	}
	if g.config.Logger == nil {
		g.config.Logger = slog.Default()
	}
	var faults []error
	var leaves []validate.Leaf
	names := map[string]bool{}
	for _, i := range config.Issuers {
		if _, ok := g.byURL[i.URL]; ok {
			faults = append(faults, fmt.Errorf("issuer %q is configured twice", i.URL))
		}
		if i.Name == "" || names[i.Name] {
			faults = append(faults, fmt.Errorf("issuer %q: the name %q is empty or used twice", i.URL, i.Name))
		}
		names[i.Name] = true
		if err := i.check(); err != nil {
			faults = append(faults, err)
		}
		i.Audience = slices.Clone(i.Audience)
		g.byURL[i.URL] = &i
		g.list = append(g.list, &i)
		leaves = append(leaves, i.leaf())
	}
	for _, i := range g.list { // a policy may name an issuer by either
		if other := g.byURL[i.Name]; other != nil && other.URL != i.URL {
			faults = append(faults, fmt.Errorf("issuer %q: the name %q is another issuer's URL", i.URL, i.Name))
		}
	}
	var err error
	if g.issuers, err = validate.NewIssuers(leaves...); err != nil {
		faults = append(faults, err)
	}
	if config.Cache != nil && err == nil {
		g.issuers.Remember(config.Cache)
	}
	if g.metadata, err = newMetadata(config); err != nil {
		faults = append(faults, err)
	}
	if g.realm, err = realm(config); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, g.prepareSenders()...)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	g.gate.idle = make(chan struct{})
	return g, nil
}

var errUnmade = &validate.Error{Code: validate.ErrInternal, Err: errors.New("the Guard was not made by New")}

// made tells a Guard of New from a zero one and from none. Those refuse
// everything.
func (g *Guard) made() bool { return g != nil && g.gate.idle != nil }

func unmade() Decision {
	return Decision{Err: errUnmade, Denial: newDenial(outcomes[validate.Internal], validate.ErrInternal)}
}

// complain logs a fault of ours. A logger that panics decides nothing.
func (g *Guard) complain(message string, args ...any) {
	defer func() { _ = recover() }()
	g.config.Logger.Error(message, args...)
}

// quiet is the least time between two lines about one thing that clients cause.
const quiet = time.Minute

// tell logs now and then.
func (g *Guard) tell(last *atomic.Int64, message string, args ...any) {
	now, before := g.config.Clock().UnixNano(), last.Load()
	if (before == 0 || now-before >= int64(quiet)) && last.CompareAndSwap(before, now) {
		g.complain(message, args...)
	}
}

// issuer finds an issuer by its name or identifier.
func (g *Guard) issuer(name string) *Issuer {
	for _, i := range g.list {
		if i.Name == name || i.URL == name {
			return i
		}
	}
	return nil
}

// only narrows the routing to fewer issuers, all of them configured.
func (g *Guard) only(accepted []*Issuer) *validate.Issuers {
	urls := make([]string, len(accepted))
	for n, i := range accepted {
		urls[n] = i.URL
	}
	issuers, err := g.issuers.Only(urls...)
	if err != nil {
		panic("middleware: " + err.Error()) // the issuers were looked up just now
	}
	return issuers
}

// Load fetches the keys of every issuer now and returns every failure. Call it
// at start-up to fail fast; without it, keys are loaded by the first request
// that needs them.
func (g *Guard) Load(ctx context.Context) error {
	if !g.made() {
		return errUnmade
	}
	faults := make([]error, len(g.list))
	done := make(chan struct{})
	for n, i := range g.list {
		go func() {
			defer func() {
				if v := recover(); v != nil { // [PV-07]
					faults[n] = &validate.Error{Code: validate.ErrInternal, Err: fmt.Errorf("issuer %q: panic: %T", i.Name, v)}
				}
				done <- struct{}{}
			}()
			if i.Keys != nil {
				faults[n] = i.Keys.Load(ctx)
			}
			if i.Introspection != nil {
				faults[n] = errors.Join(faults[n], i.Introspection.Load(ctx))
			}
		}()
	}
	for range g.list {
		<-done
	}
	return errors.Join(faults...)
}

// Health describes one issuer as of the last real contact with it.
type Health struct {
	Name string
	jwks.Health
	Introspection *introspect.Health // nil where nobody is asked about tokens
}

// Health returns the state of every issuer, in configured order. It makes no
// call.
func (g *Guard) Health() []Health {
	if !g.made() {
		return nil
	}
	out := make([]Health, 0, len(g.list))
	for _, i := range g.list {
		h := Health{Name: i.Name}
		if i.Keys != nil {
			h.Health = i.Keys.Health()
		} else {
			h.Health = jwks.Health{Issuer: i.URL, Loaded: true}
		}
		if i.Introspection != nil {
			asked := i.Introspection.Health()
			h.Introspection = &asked
		}
		out = append(out, h)
	}
	return out
}

// Flush forgets everything that is known about a token, so that its issuer is
// asked anew: for programs that hear of a revocation. It does not refuse the
// token; see validate.Revocation for that.
func (g *Guard) Flush(token string) {
	if !g.made() {
		return
	}
	if g.config.Cache != nil {
		g.config.Cache.Flush(sha256.Sum256([]byte(token)))
	}
	for _, i := range g.list {
		if i.Introspection != nil {
			i.Introspection.Flush(token)
		}
	}
}

// Close waits for decisions and streams that have begun and then releases what
// the Guard holds, which includes the Keys of its issuers. Later decisions are
// refused as unavailable. Close may be called more than once. It must not be
// called by a handler of a stream that it would wait for.
func (g *Guard) Close() error {
	if !g.made() || !g.gate.close() {
		return nil
	}
	var faults []error
	if g.config.Cache != nil {
		faults = append(faults, g.config.Cache.Close())
	}
	if g.config.DPoP != nil {
		g.config.DPoP.Close()
	}
	for _, i := range g.list {
		if i.Keys != nil {
			faults = append(faults, i.Keys.Close())
		}
		if i.Introspection != nil {
			faults = append(faults, i.Introspection.Close())
		}
	}
	return errors.Join(faults...)
}
