-- Sends the tokens of a file in turn, each thread its share of the lines, and
-- prints what package load reads:
--
--   wrk -t 2 -c 64 -d 4s -s wrk.lua http://127.0.0.1:8080/orders -- FILE 2
local threads = 0

function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end

function init(args)
  local step, n = tonumber(args[2]), 0
  requests, sent = {}, 0
  for token in io.lines(args[1]) do
    if n % step == first then
      requests[#requests + 1] = wrk.format("GET", nil, {
        Host = wrk.headers["Host"], Authorization = "Bearer " .. token,
      })
    end
    n = n + 1
  end
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("\nresult %d %d %d %d %d %d %d %d %d\n",
    summary.requests, summary.duration,
    e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9), latency.max))
end
