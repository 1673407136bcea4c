// What it costs to receive a chunked body and to find the payload in it, everything thrown away, beside the cheapest way to
// read such a socket: recv() in a loop into one buffer that stays in the cache. Both take turns of 4 MiB, each from a
// connection and a sender of its own (loopback, body_sender.hpp), and `share` is the median of the ratios of the turns'
// CPU times: by the wall clock two cores say as much about the sender, and a busy machine is busy for both of a pair.
// `enters_per_mib`: io_uring_enter calls; `raw_recvs_per_mib`: the yardstick's system calls.
//
// Bytes copied by us: none. The kernel copies each into a receive buffer; pieces are handed out where they lie there.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/body_sender.hpp"
#include "bench/micro/real_shard.hpp"
#include "net/http/body_reader.hpp"
#include "net/http/head_parser.hpp"

namespace penstock::net {
namespace {

constexpr std::size_t kTextBytes = 4 * core::kMiB;
constexpr std::size_t kTurnBytes = 4 * core::kMiB;

const std::string& any_text() {
  static const std::string text(kTextBytes, 'x');
  return text;
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.empty() ? 0 : *middle;
}

// recv() in a loop.
class RawLoop {
 public:
  explicit RawLoop(std::size_t chunk_bytes) : sender_(any_text(), chunk_bytes) {}
  ~RawLoop() { ::close(sender_.receiving_end()); }

  double take_turn() {
    const double began = cpu_seconds();
    for (std::size_t left = kTurnBytes; left > 0;) {
      const ssize_t got = ::recv(sender_.receiving_end(), buffer_.data(), std::min(buffer_.size(), left), 0);
      CHECK(got > 0);
      left -= static_cast<std::size_t>(got);
      ++recvs_;
    }
    return cpu_seconds() - began;
  }
  std::uint64_t recvs() const { return recvs_; }

 private:
  bench::BodySender sender_;
  std::vector<char> buffer_ = std::vector<char>(64 * core::kKiB);
  std::uint64_t recvs_ = 0;
};

Request chunked_request() {
  const HeadLimits limits;
  HeadParser parser(limits);
  std::size_t consumed = 0;
  const std::string_view head = "PUT /api/d/t/_stream_load HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(parser.feed(core::as_bytes(head), consumed) == HeadParser::State::Done);
  return parser.take();
}

struct Turns {
  std::size_t chunk_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pairs = 0;
  std::uint64_t recvs = 0;
  std::uint64_t enters = 0;
  std::uint64_t allocations = 0;
  std::vector<double> ours, raw, share;
};

core::Task<double> take_turn(bench::RealShard* here, BodyReader* body, Turns* turns) {
  const std::uint64_t enters = here->enters();
  const std::uint64_t allocations = bench::allocations();
  const double began = cpu_seconds();
  for (const std::uint64_t end = body->bytes_read() + kTurnBytes; body->bytes_read() < end;) {
    const auto piece = co_await body->next();
    CHECK(piece.has_value() && !piece->is_end());
    benchmark::DoNotOptimize(piece->bytes.data());
  }
  const double took = cpu_seconds() - began;
  turns->enters += here->enters() - enters;
  turns->allocations += bench::allocations() - allocations;
  co_return took;
}

core::Task<void> take_turns(bench::RealShard* here, int handle, benchmark::State* state, Turns* turns) {
  const HttpOptions options;
  HttpContext context{.shard = here->shard(), .options = options};
  const Request request = chunked_request();
  Wire wire(context, handle);
  {
    BodyReader body(context, wire, request);
    RawLoop loop(turns->chunk_bytes);
    for (auto _ : *state) {
      const bool we_are_first = turns->pairs++ % 2 == 0;
      double raw = we_are_first ? 0 : loop.take_turn();
      const double ours = co_await take_turn(here, &body, turns);
      if (we_are_first) raw = loop.take_turn();
      turns->ours.push_back(kTurnBytes / ours);
      turns->raw.push_back(kTurnBytes / raw);
      turns->share.push_back(raw / ours);
    }
    turns->bytes = body.bytes_read();
    turns->recvs = loop.recvs();
  }
  co_await wire.close();
}

void receive_unchunk(benchmark::State& state) {
  bench::RealShard here;
  Turns turns{.chunk_bytes = static_cast<std::size_t>(state.range(0))};
  {
    bench::BodySender sender(any_text(), turns.chunk_bytes);
    here.run(take_turns(&here, sender.receiving_end(), &state, &turns));
  }
  const double mib = static_cast<double>(turns.pairs) * kTurnBytes / core::kMiB;
  state.SetBytesProcessed(static_cast<std::int64_t>(2 * turns.pairs * kTurnBytes));
  state.counters["bytes_per_cpu_second"] = median(turns.ours);
  state.counters["raw_bytes_per_cpu_second"] = median(turns.raw);
  state.counters["share"] = median(turns.share);
  state.counters["enters_per_mib"] = static_cast<double>(turns.enters) / mib;
  state.counters["raw_recvs_per_mib"] = static_cast<double>(turns.recvs) / mib;
  state.counters["new_per_mib"] = static_cast<double>(turns.allocations) / mib;
}
BENCHMARK(receive_unchunk)->Arg(16 << 10)->Arg(64 << 10)->Arg(1 << 20)->ArgName("chunk")->UseRealTime();

}  // namespace
}  // namespace penstock::net
