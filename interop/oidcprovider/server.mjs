// A real authorization server for the interop tests: oidc-provider on loopback,
// with JWT access tokens for client_credentials.
//
//   node server.mjs PORT KEYS.json
//
// PORT 0 picks a free one. The file holds {"keys": [private JWK, ...],
// "sign": {"RS256": "kid", ...}}: all keys are published, "sign" names the one
// that signs. stdout gets `ready PORT` once, then one `keys` line for each line
// `keys FILE` read on stdin (a rotation without a restart). It ends with stdin.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

// The library talks through console.info; stdout belongs to the test.
console.info = console.error;
const { default: Provider, errors } = await import('oidc-provider');

const [port, keyFile] = process.argv.slice(2);
const resource = 'https://api.example.com';

// Store keeps what the provider saves. The memory adapter of the library drops
// entries after 1,000; this one holds what a load test makes, oldest out first.
class Store {
  static entries = new Map();
  static limit = 100_000;

  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload) {
    Store.entries.set(`${this.model}:${id}`, payload);
    if (Store.entries.size > Store.limit) {
      Store.entries.delete(Store.entries.keys().next().value);
    }
  }

  async find(id) {
    return Store.entries.get(`${this.model}:${id}`);
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    Store.entries.delete(`${this.model}:${id}`);
  }

  // Only interactive flows look entries up this way; none is offered here.
  async findByUid() {}
  async findByUserCode() {}
  async revokeByGrantId() {}
}

// provider makes the server anew for a set of keys. The resource indicator may
// end in ?alg=NAME (how to sign) and &aud=URL (for whom).
function provider(issuer, file) {
  const { keys, sign } = JSON.parse(readFileSync(file, 'utf8'));
  return new Provider(issuer, {
    adapter: Store,
    jwks: { keys },
    clients: [{
      client_id: 'interop',
      client_secret: 'interop-on-loopback-only',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    }],
    clientAuthMethods: ['client_secret_basic'],
    scopes: ['orders:read', 'orders:write'],
    ttl: { ClientCredentials: 24 * 60 * 60 }, // longer than a test turns its clock
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        async getResourceServerInfo(ctx, indicator) {
          const url = new URL(indicator);
          if (url.origin !== resource) throw new errors.InvalidTarget();
          const alg = url.searchParams.get('alg') ?? 'RS256';
          return {
            audience: url.searchParams.get('aud') ?? resource,
            scope: 'orders:read orders:write',
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg, kid: sign[alg] } },
          };
        },
      },
    },
  });
}

let handle;
const server = createServer((req, res) => handle(req, res));
server.listen(Number(port), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  handle = provider(issuer, keyFile).callback();
  console.log(`ready ${server.address().port}`);

  const commands = createInterface({ input: process.stdin });
  commands.on('line', (line) => {
    const [command, file] = line.split(/ (.*)/s);
    if (command !== 'keys') process.exit(2);
    handle = provider(issuer, file).callback();
    console.log('keys');
  });
  commands.on('close', () => process.exit(0));
});
