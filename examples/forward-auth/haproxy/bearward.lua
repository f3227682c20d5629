-- Asks bearward serve about a request: an action for HAProxy 2.6 and later,
--
--	http-request lua.bearward
--
-- which sets the variable txn.allowed where it may pass, replaces the identity
-- headers by what bearward says, and answers everything else as it says.

local address = "http://127.0.0.1:9000/"
local identity = { "x-auth-subject", "x-auth-client", "x-auth-scope" }

-- Those of the connection and of the body, which are not a part of the question,
-- and those that are set below.
local dropped = {
	["host"] = true, ["connection"] = true, ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true,
	["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true, ["content-length"] = true, ["expect"] = true,
}

local function ask(txn)
	local headers = {}
	for name, values in pairs(txn.http:req_get_headers()) do
		if not dropped[name] then
			headers[name] = values
		end
	end
	-- The question replaces every copy that the client sends.
	headers["x-forwarded-method"] = { txn.f:method() }
	headers["x-forwarded-uri"] = { txn.f:pathq() }
	headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
	headers["x-forwarded-host"] = { txn.f:req_hdr("host") }
	return core.httpclient():get({ url = address, headers = headers, timeout = 3000 })
end

core.register_action("bearward", { "http-req" }, function(txn)
	local ok, answer = pcall(ask, txn)
	if not ok or not answer or not answer.status or answer.status < 200 then
		return -- the next line of haproxy.cfg refuses
	end
	if answer.status == 200 then
		for _, name in ipairs(identity) do
			local values = answer.headers[name]
			local value = values and values[0] or ""
			if value == "" then
				txn.http:req_del_header(name)
			else
				txn.http:req_set_header(name, value)
			end
		end
		txn:set_var("txn.allowed", true)
		return
	end
	local reply = txn:reply({ status = answer.status, body = answer.body })
	for name, values in pairs(answer.headers) do
		if not dropped[name] then
			for i = 0, #values do
				reply:add_header(name, values[i])
			end
		end
	end
	txn:done(reply)
end)
