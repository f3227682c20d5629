package doctor

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/egress"
)

var (
	viaForged       = define("via_forged", Error, "a {header} that a client sends decides: the answer is {got} in place of {want}", "let the proxy set or remove {header} in each request to the server (nginx: proxy_set_header {header} …); forward_auth.headers: the family that it sets")
	viaForgedFine   = define("via_forged_ignored", OK, "forwarded headers that a client sends change nothing", "")
	viaHostUntold   = define("via_host_unseen", Info, "whether a forged host reaches proofs could not be told: that takes a valid token and its proof", "let the proxy set the host that forwarded names; public_url with one value needs none")
	viaCertificate  = define("via_certificate", Error, "a {header} that a client sends reaches the server as if the proxy had sent it: the answer is {got} in place of {want}", "let the proxy set or remove {header} in each request (nginx: proxy_set_header {header} …)")
	viaIdentity     = define("via_identity", Error, "the upstream gets {header} as a client sent it", "let the proxy set {header} from the server's answer in each request, and remove it where there is none")
	viaBehindUnseen = define("via_identity_unseen", Info, "whether identity headers from outside reach the upstream could not be told: no public rule leads there", "let the proxy set {headers} from the server's answer in each request")
)

// members of the two families, and what none of them can be. A proxy that sets
// them itself lets nothing of it through.
var forgeries = []struct{ header, value string }{
	{"X-Forwarded-Method", "DOCTOR,DOCTOR"},
	{"X-Forwarded-Proto", "doctor"},
	{"X-Forwarded-Host", "doctor,doctor"},
	{"X-Forwarded-Uri", "doctor"},
	{"X-Original-Method", "DOCTOR,DOCTOR"},
	{"X-Original-Proto", "doctor"},
	{"X-Original-Host", "doctor,doctor"},
	{"X-Original-Uri", "doctor"},
	{"X-Original-Url", "doctor"},
	{"Forwarded", "doctor"},
}

// families sends what only a proxy may say. The answer to a request without
// credentials must not change.
func families(f *front) {
	found, silent := false, f.silent
	try := func(name string, header http.Header) {
		resp, _ := f.send(f.closed, header) // a redirect is an answer
		if resp.Status == 0 || summary(resp) == summary(f.bare) || found && strings.HasSuffix(name, "*") {
			return
		}
		found = true
		f.say(viaForged, "header", name, "got", summary(resp), "want", summary(f.bare))
	}
	for _, one := range forgeries {
		try(one.header, http.Header{one.header: {one.value}})
	}
	for _, family := range []string{"X-Forwarded-", "X-Original-"} {
		whole := http.Header{}
		for name, value := range map[string]string{"Method": f.closed.method, "Proto": f.base.Scheme, "Host": f.base.Host, "Uri": f.closed.path} {
			whole.Set(family+name, value)
		}
		try(family+"*", whole)
	}
	if !found && f.silent == silent { // what has no answer is no pass
		f.say(viaForgedFine)
	}
	if f.file.DPoP != nil && f.file.Forwarded != "none" {
		f.say(viaHostUntold)
	}
}

// stray is a token of nobody: it is refused without a call.
const stray = "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.AAAA"

// certificateHeader sends what is no certificate in the header for one. From a
// proxy it would be malformed (400); from a client nothing comes of it.
func certificateHeader(f *front) {
	h := f.file.ClientCertHeader
	if h == nil {
		return
	}
	plain, _ := f.send(f.closed, http.Header{"Authorization": {stray}})
	forged, _ := f.send(f.closed, http.Header{"Authorization": {stray}, http.CanonicalHeaderKey(h.Name): {"doctor"}})
	if plain.Status != 0 && forged.Status != 0 && summary(forged) != summary(plain) {
		f.say(viaCertificate, "header", h.Name, "got", summary(forged), "want", summary(plain))
	}
}

// summary is what tells answers apart: the status, and the errors and scopes of
// challenges, where a proxy has one status for several.
func summary(resp egress.Response) string {
	out := strconv.Itoa(resp.Status)
	for _, m := range told.FindAllStringSubmatch(strings.Join(resp.Header.Values(challengeName), ", "), -1) {
		out += " " + m[1]
	}
	return out
}

var told = regexp.MustCompile(`\b(?:error|scope)="([^"]*)"`)

// identities sends the headers in which the upstream is told who calls.
func identities(f *front) {
	var headers []string
	for name := range f.file.ForwardHeaders {
		headers = append(headers, name)
	}
	slices.Sort(headers)
	const most = 5 // they are all set in one place
	headers = headers[:min(len(headers), most)]
	if len(headers) == 0 {
		return
	}
	if f.public.path == "" {
		f.say(viaBehindUnseen, "headers", strings.Join(headers, ", "))
		return
	}
	for _, name := range headers {
		for _, spelled := range []string{name, strings.ReplaceAll(name, "-", "_")} {
			resp, err := f.send(f.public, http.Header{spelled: {f.mark}})
			if err == nil && f.shows(resp) {
				f.say(viaIdentity, "header", spelled)
			}
		}
	}
}

// shows reports that an answer contains what was sent.
func (f *front) shows(resp egress.Response) bool {
	if strings.Contains(resp.Body, f.mark) {
		return true
	}
	for _, values := range resp.Header {
		if strings.Contains(strings.Join(values, " "), f.mark) {
			return true
		}
	}
	return false
}
