-- Asks bearward serve about a request: a hook for Apache's mod_lua,
--
--	LuaHookAccessChecker /etc/apache2/bearward.lua check
--
-- which replaces the identity headers by what bearward says of what may pass,
-- and answers everything else as it says. It needs LuaSocket (Debian: lua-socket)
-- and opens a connection for each question.

local http = require("socket.http")
local ltn12 = require("ltn12")

local address = "http://127.0.0.1:9000/"
local identity = { "X-Auth-Subject", "X-Auth-Client", "X-Auth-Scope" }
local restored = { "WWW-Authenticate", "DPoP-Nonce", "Retry-After", "Cache-Control" }

-- Those of the connection and of the body, which are not a part of the question.
local dropped = {
	["host"] = true, ["connection"] = true, ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true,
	["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true, ["content-length"] = true, ["expect"] = true,
}

http.TIMEOUT = 3

function check(r)
	if r.unparsed_uri == "/.well-known/oauth-protected-resource" then
		return apache2.OK
	end
	local headers = {}
	for name, value in pairs(r:headers_in_table()) do
		if not dropped[name:lower()] then
			headers[name:lower()] = value
		end
	end
	-- The question replaces every copy that the client sends.
	headers["x-forwarded-method"] = r.method
	headers["x-forwarded-uri"] = r.unparsed_uri
	headers["x-forwarded-proto"] = r.is_https and "https" or "http"
	headers["x-forwarded-host"] = r.headers_in["Host"]
	local certificate = r:ssl_var_lookup("SSL_CLIENT_CERT") or ""
	headers["x-ssl-client-cert"] = certificate:gsub("\n", " ")

	local body = {}
	local ok, status, answer = http.request({ url = address, headers = headers, sink = ltn12.sink.table(body), redirect = false })
	if not ok then
		r:err("bearward: " .. tostring(status))
		return 503
	end
	if status == 200 then
		for _, name in ipairs(identity) do
			local value = answer[name:lower()]
			r.headers_in[name] = value ~= "" and value or nil
		end
		return apache2.OK
	end
	for _, name in ipairs(restored) do
		r.err_headers_out[name] = answer[name:lower()]
	end
	r:custom_response(status, table.concat(body))
	return status
end
