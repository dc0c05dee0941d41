-- wrk: sends each of the cookies of a file in turn and stops after a number of answers. Arguments: the file, the number.
local requests, at, left, wrong = {}, 0, 0, 0

function init(args)
  for cookie in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, { cookie = cookie })
  end
  left = tonumber(args[2])
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function response(status)
  if status ~= 200 then wrong = wrong + 1 end
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
