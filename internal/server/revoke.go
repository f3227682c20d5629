package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/validate"
)

const (
	revocationsPath = "/revocations"
	maxRevocation   = 16 << 10
	revokeTimeout   = 10 * time.Second
)

// revocation is the body of POST /revocations: names of the claims concerned.
type revocation struct {
	Issuer   string    `json:"iss"`
	ID       string    `json:"jti,omitzero"`
	Subject  string    `json:"sub,omitzero"`
	Session  string    `json:"sid,omitzero"`
	ClientID string    `json:"client_id,omitzero"`
	Before   time.Time `json:"before,omitzero"`
	Until    time.Time `json:"until,omitzero"`
}

// kind says what is revoked, for the log: the value could be a person.
func (r revocation) kind() string {
	switch {
	case r.ID != "":
		return "jti"
	case r.Session != "":
		return "sid"
	case r.ClientID != "":
		return "client_id"
	}
	return "sub"
}

// revoke adds an entry to the list in memory. The listener is on loopback;
// what a browser could be made to send there is refused.
func (a *admin) revoke(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header["Origin"] != nil || !local(r.Host) {
		complain(w, http.StatusForbidden, "send application/json from this machine, and not from a web page")
		return
	}
	var body revocation
	err = json.UnmarshalRead(io.LimitReader(r.Body, maxRevocation), &body, json.RejectUnknownMembers(true))
	if err != nil {
		complain(w, http.StatusBadRequest, "this is not an object with iss, one of jti, sub, sid and client_id, before and until")
		return
	}
	if err := a.revocations.Revoke(r.Context(), validate.RevocationEntry(body)); err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, validate.ErrRevocationsFull) {
			status = http.StatusServiceUnavailable
		}
		complain(w, status, err.Error())
		return
	}
	a.logger.Info("bearward: a revocation was added", "issuer", body.Issuer, "of", body.kind())
	w.WriteHeader(http.StatusNoContent)
}

func complain(w http.ResponseWriter, status int, reason string) {
	reply(w, status, "application/json", map[string]string{"error": reason})
}

// local reports that a Host names a loopback address: other names may have
// been pointed here to get past a browser.
func local(host string) bool {
	if addr, err := netip.ParseAddrPort(host); err == nil {
		return addr.Addr().IsLoopback()
	}
	return host == "localhost" || len(host) > 10 && host[:10] == "localhost:"
}

// Revoke adds an entry to the list that the file names: on Redis directly, in
// memory by asking the running server. The entry's issuer may be the name that
// the file gives it.
func Revoke(ctx context.Context, file *config.File, e validate.RevocationEntry) (err error) {
	if e.Issuer, err = issuerOf(file, e.Issuer); err != nil {
		return err
	}
	if err := e.Check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	switch {
	case file.Revocation == nil:
		return errors.New("the file has no revocation list")
	case file.Revocation.List == "redis":
		return revokeOnRedis(ctx, file, e)
	}
	return revokeInMemory(ctx, file.Admin, e)
}

// issuerOf returns the identifier of the issuer that is called name. An entry
// about one that the file does not know would have no effect.
func issuerOf(file *config.File, name string) (string, error) {
	for _, i := range file.Issuers {
		before, after, template := strings.Cut(i.Issuer, "{tenantid}")
		named := name == i.Name || name == i.Issuer
		switch {
		case named && template:
			return "", fmt.Errorf("issuer %q stands for many tenants: name the iss of the one", i.Issuer)
		case named:
			return i.Issuer, nil
		case template && strings.HasPrefix(name, before) && strings.HasSuffix(name, after):
			return name, nil
		}
	}
	return "", fmt.Errorf("the file has no issuer %q", name)
}

func revokeOnRedis(ctx context.Context, file *config.File, e validate.RevocationEntry) (err error) {
	b := &builder{file: file, logger: slog.New(slog.DiscardHandler)}
	var shared *redisstore.Redis
	if shared = b.redis(); shared == nil {
		return file.Faults(b.faults...)
	}
	defer func() { err = errors.Join(err, shared.Close()) }()
	if err := shared.Revocations(file.Revocation.Retention).Revoke(ctx, e); err != nil {
		return err
	}
	if err := shared.Ping(ctx); err != nil {
		return fmt.Errorf("the entry is on redis, but %w", err)
	}
	return nil
}

func revokeInMemory(ctx context.Context, address string, e validate.RevocationEntry) error {
	body, err := json.Marshal(revocation(e))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+revocationsPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer at %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusNoContent {
		var told struct {
			Error string `json:"error"`
		}
		_ = json.UnmarshalRead(io.LimitReader(response.Body, maxRevocation), &told)
		return fmt.Errorf("the server answered %d %s", response.StatusCode, told.Error)
	}
	return nil
}
