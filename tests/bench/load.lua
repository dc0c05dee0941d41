-- wrk: sends cookies of a file, picked at random, and stops after a number of answers. An empty line sends no cookie.
-- Arguments: the file, the number of answers, the expected status, the value of
-- Accept, a seed.
local requests, left, wrong, expected = {}, 0, 0, 200

function init(args)
  math.randomseed(tonumber(args[5]))
  for cookie in io.lines(args[1]) do
    local headers = { accept = args[4] }
    if cookie ~= "" then headers.cookie = cookie end
    requests[#requests + 1] = wrk.format("GET", nil, headers)
  end
  left, expected = tonumber(args[2]), tonumber(args[3])
end

function request()
  return requests[math.random(#requests)]
end

function response(status)
  if status ~= expected then wrong = wrong + 1 end
  left = left - 1
  if left == 0 then
    wrk.thread:stop()
    -- Told here, since wrk itself would sleep until the end of its time.
    io.stderr:write("done, " .. wrong .. " wrong\n")
  end
end

function done(summary, latency)
  io.write(string.format(
    '\n{"requests":%d,"duration":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99)
  ))
end
