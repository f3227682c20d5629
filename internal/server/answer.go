package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// answered looks at the upstream's answer before it is passed on, and adds what
// the decision says: here, because what w has is lost once the upstream sends an
// informational answer. A nonce of the upstream is about other proofs than those
// that are judged here.
func (p *proxy) answered(r *http.Response) error {
	if r.StatusCode < 200 && r.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("its status is %03d", r.StatusCode)
	}
	f := r.Request.Context().Value(forwardKey{}).(*forward)
	if len(r.Header["Content-Type"]) == 0 { // net/http would guess one
		f.client.Header()["Content-Type"] = nil
	}
	f.body.part(f.client.Header())
	if p.file.DPoP != nil { // [DP-24]
		r.Header.Del(nonceField)
		r.Trailer.Del(nonceField)
	}
	f.Amend(r.Header)
	return nil
}

// failed answers in place of an upstream that did not.
func (p *proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	f := r.Context().Value(forwardKey{}).(*forward)
	f.body.part(w.Header())
	f.Amend(w.Header())
	if errors.Is(context.Cause(r.Context()), errExpired) {
		f.denial.ServeHTTP(w, r)
		return
	}
	status := f.body.fault()
	if status == 0 {
		status = http.StatusBadGateway
		if waited := net.Error(nil); errors.As(err, &waited) && waited.Timeout() {
			status = http.StatusGatewayTimeout
		}
		if r.Context().Err() == nil {
			p.logger.Warn("bearward: the upstream did not answer", "upstream", p.file.Upstream.Host, "route", f.route, "error", err)
		}
	}
	reply(w, status, "application/problem+json", problem{http.StatusText(status), status})
}

// problem is what denials say, too.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
}
