package validate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/bearward/bearward/validate"
)

// TestRawClaims: payloads byte by byte, signed by the right key. Whatever
// another parser would make of them, they are read one way or not at all. %I is
// the issuer, %N noon. [CL-12 CL-14 CL-15 CL-23 JO-16 JO-17 JO-18]
func TestRawClaims(t *testing.T) {
	s := mint(t, "ES256")
	const rest = `"iss":"%I","sub":"u","aud":"` + api + `","iat":%N,"jti":"j","client_id":"c"`
	dated := func(exp string) string { return `{` + rest + `,"exp":` + exp + `}` }
	for name, c := range map[string]struct {
		payload string
		code    validate.Code
	}{
		"right":                      {dated(`%N`), ""},
		"exp, last instant":          {dated(`1795435140.5`), ""},
		"exp, leeway just over":      {dated(`1795435140`), validate.ErrExpired},
		"exp as power":               {dated(`1.8e9`), ""},
		"exp as negative power":      {dated(`18000000000000e-4`), ""},
		"exp at the end of time":     {dated(`253402300799`), ""},
		"exp a fraction over it":     {dated(`253402300799.5`), validate.ErrClaimsInvalid},
		"exp beyond":                 {dated(`253402300800`), validate.ErrClaimsInvalid},
		"exp 2^63":                   {dated(`9223372036854775808`), validate.ErrClaimsInvalid},
		"exp 2^63-1":                 {dated(`9223372036854775807`), validate.ErrClaimsInvalid},
		"exp 2^64 + a right one":     {dated(`18446744075509551616`), validate.ErrClaimsInvalid},
		"exp 1e400":                  {dated(`1e400`), validate.ErrClaimsInvalid},
		"exp 1E+400":                 {dated(`1E+400`), validate.ErrClaimsInvalid},
		"exp of 10,000 digits":       {dated(strings.Repeat("9", 10_000)), validate.ErrClaimsInvalid},
		"exp 0.000...e+N":            {dated(`0.` + strings.Repeat("0", 300) + `18e310`), ""},
		"exp -0":                     {dated(`-0`), validate.ErrExpired},
		"exp -0.0":                   {dated(`-0.0`), validate.ErrExpired},
		"exp 1e-400":                 {dated(`1e-400`), validate.ErrExpired},
		"exp -1e-400":                {dated(`-1e-400`), validate.ErrExpired},
		"exp NaN":                    {dated(`NaN`), validate.ErrClaimsInvalid},
		"exp Infinity":               {dated(`Infinity`), validate.ErrClaimsInvalid},
		"exp ends with a point":      {dated(`1800000000.`), validate.ErrClaimsInvalid},
		"exp begins with a point":    {dated(`.18e10`), validate.ErrClaimsInvalid},
		"exp with a leading zero":    {dated(`01800000000`), validate.ErrClaimsInvalid},
		"exp with a plus":            {dated(`+1800000000`), validate.ErrClaimsInvalid},
		"exp in hex":                 {dated(`0x6B49D200`), validate.ErrClaimsInvalid},
		"exp with underscores":       {dated(`1_800_000_000`), validate.ErrClaimsInvalid},
		"nbf at the end of time":     {dated(`%N,"nbf":253402300799`), validate.ErrNotYetValid},
		"nbf beyond":                 {dated(`%N,"nbf":1e300`), validate.ErrClaimsInvalid},
		"nbf null":                   {dated(`%N,"nbf":null`), validate.ErrClaimsInvalid},
		"nbf 0":                      {dated(`%N,"nbf":0`), ""},
		"auth_time beyond":           {dated(`%N,"auth_time":1e300`), validate.ErrClaimsInvalid},
		"exp twice":                  {dated(`%N,"exp":1`), validate.ErrClaimsInvalid},
		"exp twice, one escaped":     {dated(`%N,"\u0065xp":1`), validate.ErrClaimsInvalid},
		"exp escaped":                {`{` + rest + `,"\u0065\u0078p":%N}`, ""},
		"exp in capitals beside":     {dated(`%N,"EXP":"x"`), ""},
		"long s in sub beside":       {dated(`%N,"\u017fub":1`), ""},
		"name with a lone surrogate": {dated(`%N,"\ud800":1`), validate.ErrClaimsInvalid},
		"surrogates swapped":         {dated(`%N,"\udc00\ud800":1`), validate.ErrClaimsInvalid},
		"text with a lone surrogate": {dated(`%N,"acr":"\ud83d"`), validate.ErrClaimsInvalid},
		"upper-case escape U":        {dated(`%N,"acr":"\U0001f600"`), validate.ErrClaimsInvalid},
		"escape x":                   {dated(`%N,"acr":"\x41"`), validate.ErrClaimsInvalid},
		"NUL in text":                {dated("%N,\"acr\":\"\x00\""), validate.ErrClaimsInvalid},
		"DEL in text":                {dated("%N,\"acr\":\"\x7f\""), ""},
		"vertical tab between":       {dated("\v%N"), validate.ErrClaimsInvalid},
		"no-break space between":     {dated("\u00a0%N"), validate.ErrClaimsInvalid},
		"BOM before":                 {"\ufeff" + dated(`%N`), validate.ErrClaimsInvalid},
		"overlong UTF-8":             {dated("%N,\"acr\":\"\xc0\xaf\""), validate.ErrClaimsInvalid},
		"UTF-8 of a surrogate":       {dated("%N,\"acr\":\"\xed\xa0\x80\""), validate.ErrClaimsInvalid},
		"a second object":            {dated(`%N`) + dated(`%N`), validate.ErrClaimsInvalid},
		"NUL after":                  {dated(`%N`) + "\x00", validate.ErrClaimsInvalid},
		"repeated deep inside":       {dated(`%N,"x":[{"y":{"a":1,"\u0061":2}}]`), validate.ErrClaimsInvalid},
		"31 deep":                    {dated(`%N,"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31)), ""},
		"32 deep":                    {dated(`%N,"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32)), validate.ErrClaimsInvalid},
		"deep act":                   {dated(`%N,"act":` + strings.Repeat(`{"act":`, 30) + `{}` + strings.Repeat("}", 30)), ""},
		"deeper act":                 {dated(`%N,"act":` + strings.Repeat(`{"act":`, 31) + `{}` + strings.Repeat("}", 31)), validate.ErrClaimsInvalid},
		"act, inner not an object":   {dated(`%N,"act":{"sub":"a","act":"b"}`), validate.ErrClaimsInvalid},
		"act, sub a number":          {dated(`%N,"act":{"sub":1}`), validate.ErrClaimsInvalid},
		"act null":                   {dated(`%N,"act":null`), validate.ErrClaimsInvalid},
		"act a list":                 {dated(`%N,"act":[{"sub":"a"}]`), validate.ErrClaimsInvalid},
		"scope null":                 {dated(`%N,"scope":null`), validate.ErrClaimsInvalid},
		"scope with a line break":    {dated(`%N,"scope":"a\nb"`), validate.ErrClaimsInvalid},
		"scope with a tab":           {dated(`%N,"scope":"a\tb"`), validate.ErrClaimsInvalid},
		"scope beyond ASCII":         {dated(`%N,"scope":"\u00e4"`), validate.ErrClaimsInvalid},
		"cnf false":                  {dated(`%N,"cnf":false`), validate.ErrConfirmationInvalid},
		"cnf list":                   {dated(`%N,"cnf":[]`), validate.ErrConfirmationInvalid},
		"cnf jkt empty":              {dated(`%N,"cnf":{"jkt":""}`), validate.ErrConfirmationInvalid},
		"cnf jkt null":               {dated(`%N,"cnf":{"jkt":null}`), validate.ErrConfirmationInvalid},
		"cnf JKT":                    {dated(`%N,"cnf":{"JKT":"` + thumb + `"}`), validate.ErrConfirmationInvalid},
		"cnf jkt padded":             {dated(`%N,"cnf":{"jkt":"` + thumb + `="}`), validate.ErrConfirmationInvalid},
		"cnf jkt not canonical":      {dated(`%N,"cnf":{"jkt":"` + thumb[:42] + `B"}`), validate.ErrConfirmationInvalid},
		"cnf jkt and empty x5t":      {dated(`%N,"cnf":{"jkt":"` + thumb + `","x5t#S256":""}`), validate.ErrConfirmationInvalid},
		"cnf jkt twice":              {dated(`%N,"cnf":{"jkt":"` + thumb + `","\u006akt":"` + thumb + `"}`), validate.ErrClaimsInvalid},
		"cnf escaped":                {dated(`%N,"c\u006ef":{}`), validate.ErrConfirmationInvalid},
		"iss with a NUL":             {`{"iss":"%I\u0000","exp":%N}`, validate.ErrIssuerUnknown},
		"iss null":                   {`{"iss":null,"exp":%N}`, validate.ErrClaimsInvalid},
		"aud escaped":                {`{` + strings.Replace(rest, "https:", `\u0068ttps:`, 1) + `,"exp":%N}`, ""},
		"aud nested":                 {`{"iss":"%I","aud":[["` + api + `"]],"exp":%N}`, validate.ErrClaimsInvalid},
		"nothing":                    {"", validate.ErrNotJWT},
		"null":                       {"null", validate.ErrClaimsInvalid},
		"a right token's text":       {`"{}"`, validate.ErrClaimsInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			payload := strings.NewReplacer("%I", s.URL(), "%N", strconv.FormatInt(noon.Unix(), 10)).Replace(c.payload)
			raw, err := s.SignBytes(nil, []byte(payload))
			if err != nil {
				t.Fatal(err)
			}
			_, err = verifier(t, s, nil).Verify(t.Context(), raw)
			wantCode(t, err, c.code)
		})
	}
}

var thumb = strings.Repeat("A", 43)

// TestVendorMarkersAreTyped: a marker that tells clients from users is read in
// any spelling, and one of another type is no user's token. [CL-17 CL-23]
func TestVendorMarkersAreTyped(t *testing.T) {
	s := mint(t, "ES256")
	for _, claim := range []string{"idtyp", "gty"} {
		for _, wrong := range []any{1, true, []string{"app"}, map[string]any{}} {
			_, err := verifier(t, s, nil).Verify(t.Context(), token(t, s, nil, map[string]any{claim: wrong}))
			wantCode(t, err, validate.ErrClaimsInvalid)
		}
	}
	raw, err := s.SignBytes(nil, []byte(strings.NewReplacer("%I", s.URL(), "%N", strconv.FormatInt(noon.Unix(), 10)).Replace(
		`{"iss":"%I","sub":"u","aud":"`+api+`","iat":%N,"exp":%N,"jti":"j","client_id":"c","idtyp":"\u0061pp"}`)))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := verifier(t, s, nil).Verify(t.Context(), raw)
	wantCode(t, err, "")
	if !tok.IsClient() {
		t.Error("an escaped idtyp makes a user of a client")
	}
}

// TestEmptyAllowList is a fault; only the absent one means the default. [JO-01]
func TestEmptyAllowList(t *testing.T) {
	_, err := validate.NewJWT(validate.Config{Issuer: "i", Keys: source{}, Audience: []string{"a"}, Algorithms: []string{}})
	if err == nil {
		t.Error("an empty list of algorithms is accepted")
	}
}

// TestForeignClient: a token of a foreign verifier tells clients as guards do.
// [CL-17]
func TestForeignClient(t *testing.T) {
	for _, c := range []struct {
		token validate.Token
		want  bool
	}{
		{validate.Token{Subject: "a", ClientID: "a"}, true},
		{validate.Token{Subject: "a", ClientID: "b"}, false},
		{validate.Token{}, true},
	} {
		if c.token.IsClient() != c.want {
			t.Errorf("%+v: %v", c.token, !c.want)
		}
	}
}

// offered is a source that gives the same keys to everybody.
type offered []*validate.Key

func (o offered) Keys(context.Context, string, string) ([]*validate.Key, error) { return o, nil }
func (offered) Live(*validate.Key) bool                                         { return true }

// TestOddKeys of a custom source never verify; whatever they do, they do not
// pass. [JO-06 JO-09 JO-10]
func TestOddKeys(t *testing.T) {
	s := mint(t, "ES256", "RS256", "Ed25519")
	good := s.Key("RS256").(*rsa.PublicKey)
	for name, c := range map[string]struct {
		alg string
		pub any
	}{
		"nil":              {"RS256", nil},
		"typed nil RSA":    {"RS256", (*rsa.PublicKey)(nil)},
		"RSA without N":    {"RS256", &rsa.PublicKey{E: 65537}},
		"RSA without E":    {"RS256", &rsa.PublicKey{N: good.N}},
		"RSA e=1":          {"RS256", &rsa.PublicKey{N: good.N, E: 1}},
		"RSA e even":       {"RS256", &rsa.PublicKey{N: good.N, E: 65536}},
		"RSA e negative":   {"RS256", &rsa.PublicKey{N: good.N, E: -65537}},
		"RSA N negative":   {"RS256", &rsa.PublicKey{N: new(big.Int).Neg(good.N), E: good.E}},
		"RSA N even":       {"RS256", &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}},
		"RSA small":        {"RS256", &rsa.PublicKey{N: new(big.Int).Rsh(good.N, 1024), E: 65537}},
		"RSA huge":         {"RS256", &rsa.PublicKey{N: new(big.Int).Lsh(good.N, 8192), E: 65537}},
		"RSA by value":     {"RS256", *good},
		"typed nil EC":     {"ES256", (*ecdsa.PublicKey)(nil)},
		"EC of nothing":    {"ES256", &ecdsa.PublicKey{}},
		"EC without point": {"ES256", &ecdsa.PublicKey{Curve: elliptic.P256()}},
		"Ed25519 short":    {"Ed25519", ed25519.PublicKey{1}},
		"Ed25519 nil":      {"Ed25519", ed25519.PublicKey(nil)},
		"private key":      {"Ed25519", ed25519.NewKeyFromSeed(make([]byte, 32))},
		"bytes":            {"RS256", []byte("secret")},
		"text":             {"ES256", "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			j := verifier(t, s, func(v *validate.Config) {
				v.Keys = offered{nil, {ID: s.KeyID(c.alg), Algorithm: c.alg, Public: c.pub}}
			})
			_, err := j.Verify(t.Context(), token(t, s, map[string]any{"alg": c.alg, "kid": s.KeyID(c.alg)}, nil))
			if err == nil {
				t.Fatal("accepted")
			}
			if class := validate.CodeOf(err).Class(); class != validate.BadToken {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestTypedNil: an *Error that is nil is somebody's mistake and no success.
func TestTypedNil(t *testing.T) {
	if code := validate.CodeOf((*validate.Error)(nil)); code != validate.ErrInternal {
		t.Errorf("%s", code)
	}
}

// TestSourceErrors are never blamed on the token. [ER-23 JK-17 PV-07]
func TestSourceErrors(t *testing.T) {
	s := mint(t, "ES256")
	for _, c := range []struct {
		err  error
		want validate.Code
	}{
		{errors.New("down"), validate.ErrKeysUnavailable},
		{context.Canceled, validate.ErrKeysUnavailable},
		{validate.ErrExpired, validate.ErrKeysUnavailable},
		{&validate.Error{Code: validate.ErrSignatureInvalid}, validate.ErrKeysUnavailable},
		{&validate.Error{Code: validate.ErrUnavailable}, validate.ErrUnavailable},
		{&validate.Error{Code: validate.ErrInternal}, validate.ErrInternal},
		{(*validate.Error)(nil), validate.ErrKeysUnavailable},
	} {
		j := verifier(t, s, func(v *validate.Config) { v.Keys = &keys{err: c.err} })
		_, err := j.Verify(t.Context(), token(t, s, nil, nil))
		if code := validate.CodeOf(err); code != c.want {
			t.Errorf("%T %s: %s", c.err, c.want, code)
		}
	}
}
