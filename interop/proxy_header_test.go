package interop

import (
	"crypto/tls"
	"slices"
	"testing"
)

// nothing is what proxies send without a certificate: no header, or what their
// language has for a value that is not there. Other versions of Caddy send
// other ones.
var nothing = map[string][][]string{
	"Caddy":  {{"::"}, {":{http.request.tls.client.certificate_der_base64}:"}},
	"Apache": {{"(null)"}},
}

// bearward reads what each proxy says of the client's certificate, and that
// there is none.
func TestProxyHeader(t *testing.T) { // [MT-08 MT-12]
	eachProxy(t, func(t *testing.T, p proxy) {
		upstream := newAPI(t)
		server, client := newIdentity(t, "proxy", publicHost), newIdentity(t, "client")
		at := p.run(t, server, "127.0.0.1:9000", upstream.addr())
		get := func(own *identity) []string {
			t.Helper()
			conn, err := tls.Dial("tcp", at, clientTLS(server, own))
			if err != nil {
				t.Fatal(err)
			}
			if a := exchange(t, conn, "/", nil); a.StatusCode != 200 {
				t.Fatal(a.Status)
			}
			return upstream.take().Values(p.header.Name)
		}

		values := get(&client)
		got, err := p.header.Parse(values)
		if err != nil || got == nil || !got.Equal(client.Leaf) {
			t.Errorf("another certificate, or %v, from %q", err, values)
		}
		values = get(nil)
		if got, err := p.header.Parse(values); got != nil || err != nil {
			t.Errorf("without a certificate: got %v, %v from %q", got, err, values)
		}
		if known, ok := nothing[p.name]; ok != (len(values) > 0) || ok && !slices.ContainsFunc(known, func(k []string) bool { return slices.Equal(k, values) }) {
			t.Errorf("without a certificate it says %q", values)
		}
	})
}
