// What it costs to receive a chunked body and to find the payload in it, everything thrown away, beside the cheapest way to
// read such a socket: recv() in a loop into one buffer, as large as one of ours, that stays in the cache. They take turns, each with a connection of
// its own over loopback; `share` is the median of the ratios of the turns' CPU times a byte.
//
//   receive_unchunk      what a turn receives lies in the socket already: nothing but receiving is measured
//   receive_beside_sender  a thread sends meanwhile: as it is in life, and as steady as the machine is idle
//
// `enters_per_mib`: io_uring_enter calls; `raw_recvs_per_mib`: the yardstick's system calls. Bytes copied by us: none. The
// kernel copies each into a receive buffer, and pieces are handed out where they lie there.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/micro/allocation_count.hpp"
#include "bench/micro/bench_folder.hpp"
#include "bench/micro/body_sender.hpp"
#include "bench/micro/real_shard.hpp"
#include "net/http/body_reader.hpp"
#include "net/http/head_parser.hpp"

namespace penstock::net {
namespace {

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// recv() in a loop.
class RawLoop {
 public:
  explicit RawLoop(bench::BodySource& source) : source_(source) {}
  ~RawLoop() { ::close(source_.receiving_end()); }

  // Seconds a byte.
  double take_turn() {
    source_.begin_turn();
    const std::uint64_t before = received_;
    const double began = cpu_seconds();
    while (received_ < source_.bytes_goal()) {
      const std::size_t size = std::min<std::uint64_t>(buffer_.size(), source_.bytes_goal() - received_);
      const ssize_t got = ::recv(source_.receiving_end(), buffer_.data(), size, 0);
      CHECK(got > 0);
      received_ += static_cast<std::uint64_t>(got);
      ++recvs_;
    }
    return (cpu_seconds() - began) / static_cast<double>(received_ - before);
  }
  std::uint64_t received() const { return received_; }
  std::uint64_t recvs() const { return recvs_; }

 private:
  bench::BodySource& source_;
  std::vector<char> buffer_ = std::vector<char>(core::UringOptions{}.body_buffer_bytes);
  std::uint64_t received_ = 0;
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
  bench::RealShard here;
  bench::BodySource* source = nullptr;      // ours
  bench::BodySource* raw_source = nullptr;  // the yardstick's
  std::uint64_t enters = 0;
  std::uint64_t allocations = 0;
  std::vector<double> ours, raw, share;
};

core::Task<double> take_turn(Turns* turns, BodyReader* body) {
  turns->source->begin_turn();
  const std::uint64_t before = body->bytes_read();
  const std::uint64_t enters = turns->here.enters();
  const std::uint64_t allocations = bench::allocations();
  const double began = cpu_seconds();
  while (body->bytes_read() < turns->source->payload_goal()) {
    const auto piece = co_await body->next();
    CHECK(piece.has_value() && !piece->is_end());
    benchmark::DoNotOptimize(piece->bytes.data());
  }
  const double took = cpu_seconds() - began;
  turns->enters += turns->here.enters() - enters;
  turns->allocations += bench::allocations() - allocations;
  co_return took / static_cast<double>(body->bytes_read() - before);
}

core::Task<void> take_turns(Turns* turns, benchmark::State* state) {
  const HttpOptions options;
  HttpContext context{.shard = turns->here.shard(), .options = options};
  const Request request = chunked_request();
  Wire wire(context, turns->source->receiving_end());
  {
    BodyReader body(context, wire, request);
    RawLoop loop(*turns->raw_source);
    for (auto _ : *state) {
      const bool we_are_first = turns->ours.size() % 2 == 0;
      double raw = we_are_first ? 0 : loop.take_turn();
      const double ours = co_await take_turn(turns, &body);
      if (we_are_first) raw = loop.take_turn();
      turns->ours.push_back(1 / ours);
      turns->raw.push_back(1 / raw);
      turns->share.push_back(raw / ours);
    }
    const double mib = static_cast<double>(body.bytes_read()) / core::kMiB;
    state->SetBytesProcessed(static_cast<std::int64_t>(body.bytes_read() + loop.received()));
    state->counters["bytes_per_cpu_second"] = bench::median(turns->ours);
    state->counters["raw_bytes_per_cpu_second"] = bench::median(turns->raw);
    state->counters["share"] = bench::median(turns->share);
    state->counters["enters_per_mib"] = static_cast<double>(turns->enters) / mib;
    state->counters["new_per_mib"] = static_cast<double>(turns->allocations) / mib;
    state->counters["raw_recvs_per_mib"] =
        static_cast<double>(loop.recvs()) / (static_cast<double>(loop.received()) / core::kMiB);
  }
  co_await wire.close();
}

void receive_unchunk(benchmark::State& state) {
  const auto chunk = static_cast<std::size_t>(state.range(0));
  bench::QueuedBody source(chunk);
  bench::QueuedBody raw_source(chunk);
  Turns turns{.source = &source, .raw_source = &raw_source};
  turns.here.run(take_turns(&turns, &state));
}
BENCHMARK(receive_unchunk)->Arg(16 << 10)->Arg(64 << 10)->Arg(1 << 20)->ArgName("chunk")->UseRealTime();

void receive_beside_sender(benchmark::State& state) {
  static const std::string text(4 * core::kMiB, 'x');
  const auto chunk = static_cast<std::size_t>(state.range(0));
  bench::BodySender sender(text, chunk, 2);
  Turns turns{.source = &sender.body(0), .raw_source = &sender.body(1)};
  turns.here.run(take_turns(&turns, &state));
}
BENCHMARK(receive_beside_sender)->Arg(64 << 10)->ArgName("chunk")->UseRealTime();

}  // namespace
}  // namespace penstock::net
