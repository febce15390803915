// The flows of a service, by npm's openid-client. The Go test speaks with this program line by
// line: the first line in is {issuer, redirectURI, secret, key}; {"open": url} out asks for a citizen's
// browser, and the next line in is where that browser was sent. {"done": {...}} is the end; anything
// that does not go as the standards say throws, and the exit code tells.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const next = async () => (await lines.next()).value
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const browse = async (url) => {
  say({ open: url.href })
  return new URL(await next())
}

const { issuer, redirectURI, secret, key, legacyRedirectURI, legacySecret } = JSON.parse(await next())
const connect = async (id, metadata, authentication) => {
  const config = await client.discovery(new URL(issuer), id, metadata, authentication, { execute: [client.allowInsecureRequests] })
  client.enableNonRepudiationChecks(config) // check signatures, which TLS would make optional
  return config
}

const begin = async (config, redirect_uri, more) => {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid profile email',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    max_age: '3600',
    ...more,
  })
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 3600, idTokenExpected: true } }
}

// A confidential service: sign-in, userinfo, refresh, introspection, revocation, logout.
const agenda = await connect('agenda', {}, client.ClientSecretBasic(secret))
assert.equal(agenda.serverMetadata().issuer, issuer)
assert.ok(agenda.serverMetadata().supportsPKCE())

const first = await begin(agenda, redirectURI)
const back = await browse(first.url)
const tokens = await client.authorizationCodeGrant(agenda, back, first.checks)
const claims = tokens.claims()
const info = await client.fetchUserInfo(agenda, tokens.access_token, claims.sub)
assert.equal(info.email_verified, true)

const refreshed = await client.refreshTokenGrant(agenda, tokens.refresh_token)
assert.equal(refreshed.claims().sub, claims.sub)
assert.equal(refreshed.claims().auth_time, claims.auth_time)
assert.notEqual(refreshed.refresh_token, tokens.refresh_token)

const live = await client.tokenIntrospection(agenda, refreshed.access_token)
assert.equal(live.active, true)
assert.equal(live.sub, claims.sub)
await client.tokenRevocation(agenda, refreshed.refresh_token)
const dead = await client.tokenIntrospection(agenda, refreshed.access_token)
assert.equal(dead.active, false)
await assert.rejects(client.refreshTokenGrant(agenda, refreshed.refresh_token), { error: 'invalid_grant' })
await assert.rejects(client.fetchUserInfo(agenda, refreshed.access_token, claims.sub), (e) => {
  assert.ok(e instanceof client.WWWAuthenticateChallengeError)
  assert.equal(e.cause[0].parameters.error, 'invalid_token')
  return true
})

// Single sign-on, form_post, fragment, and errors that come back by the same way.
const silent = await begin(agenda, redirectURI, { prompt: 'none', response_mode: 'fragment' })
const quiet = await client.authorizationCodeGrant(agenda, fragmentAsQuery(await browse(silent.url)), silent.checks)
assert.equal(quiet.claims().sub, claims.sub)
const unmet = await begin(agenda, redirectURI, {
  prompt: 'none',
  claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:loginunico:nivel:5' } } }),
})
await assert.rejects(client.authorizationCodeGrant(agenda, await browse(unmet.url), unmet.checks), {
  error: 'unmet_authentication_requirements',
})

const logout = client.buildEndSessionUrl(agenda, {
  id_token_hint: quiet.id_token,
  post_logout_redirect_uri: new URL('/', redirectURI).href,
  state: 'tchau',
})
assert.equal((await browse(logout)).searchParams.get('state'), 'tchau')

// A service that wants RS256 everywhere, its userinfo signed.
const legado = await connect(
  'legado',
  { id_token_signed_response_alg: 'RS256', userinfo_signed_response_alg: 'RS256' },
  client.ClientSecretBasic(legacySecret),
)
const second = await begin(legado, legacyRedirectURI, { scope: 'openid profile' })
const old = await client.authorizationCodeGrant(legado, await browse(second.url), second.checks)
const signed = await client.fetchUserInfo(legado, old.access_token, old.claims().sub)
assert.notEqual(old.claims().sub, claims.sub)

// A service that authenticates by private_key_jwt and speaks for itself.
const cryptoKey = await crypto.subtle.importKey('jwk', key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const robo = await connect('robo', {}, client.PrivateKeyJwt({ key: cryptoKey, kid: key.kid }))
const own = await client.clientCredentialsGrant(robo, { scope: 'agenda.read', resource: 'https://api.example.org/a' })
const about = await client.tokenIntrospection(robo, own.access_token)
assert.equal(about.active, true)
assert.equal(about.client_id, 'robo')

say({ done: { sub: claims.sub, name: info.name, level: claims.trust_level, signedName: signed.name, scope: own.scope } })
process.exit(0)

function fragmentAsQuery(url) {
  const out = new URL(url)
  out.search = out.hash.slice(1)
  out.hash = ''
  return out
}
