#include "tools/bench/load_run.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/bench/process_facts.hpp"

namespace penstock::tools {
namespace {

constexpr int kBlocksATurn = 4;
constexpr Nanos kSampleEvery = 200 * kMillisecond;
constexpr std::size_t kVisibleLoadsMax = 4'000'000;
constexpr std::uint64_t kCommitterBit = 1ULL << 32;

double to_seconds(Nanos time) { return static_cast<double>(time) / kSecond; }
double to_millis(Nanos time) { return static_cast<double>(time) / kMillisecond; }

}  // namespace

LoadRun::LoadRun(const RunWanted& wanted, StreamContext& context, RunResult& result)
    : wanted_(wanted),
      context_(context),
      result_(result),
      tick_period_(static_cast<Nanos>(wanted.checkpoint_seconds * kSecond)) {}

LoadRun::~LoadRun() {
  if (epoll_ >= 0) ::close(epoll_);
}

std::expected<void, std::string> LoadRun::open_blocking() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  const std::uint32_t count = wanted_.streams;
  const double rate = wanted_.rate / count;
  // Streams begin one after the other within one load's (or one flush's) time, not all in the same instant.
  Nanos spread = 0;
  if (rate > 0 && context_.load_rows > 0) {
    spread = static_cast<Nanos>(static_cast<double>(context_.load_rows) / rate * kSecond);
  } else if (rate > 0) {
    spread = static_cast<Nanos>(wanted_.flush_ms * kMillisecond);
  }
  start_ = now_nanos() + 5 * kMillisecond + static_cast<Nanos>(count) * kMillisecond / 4;
  if (wanted_.seconds > 0) context_.end = start_ + static_cast<Nanos>(wanted_.seconds * kSecond);
  for (std::uint32_t i = 0; i < count; ++i) {
    const RateSchedule schedule(start_ + spread * i / count, rate);
    streams_.push_back(std::make_unique<LoadStream>(context_, i, schedule));
    if (auto opened = streams_.back()->open_blocking(); !opened) return opened;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, streams_.back()->socket(), &event);
    if (!is_two_phase()) continue;
    committers_.push_back(std::make_unique<Committer>(wanted_.target));
    if (auto opened = committers_.back()->open_blocking(); !opened) return opened;
    event.data.u64 = kCommitterBit | i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, committers_.back()->socket(), &event);
  }
  watches_writable_.resize(count);
  is_runnable_.resize(count);
  takes_part_.resize(count);
  wake_of_.resize(count);
  return {};
}

std::expected<void, std::string> LoadRun::run_blocking() {
  while (now_nanos() < start_) ::usleep(200);
  sampled_at_ = printed_at_ = moved_at_ = last_visible_ = start_;
  next_sample_ = start_ + kSampleEvery;
  if (tick_period_ > 0) next_tick_ = start_ + tick_period_;
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    runnable_.push_back(i);
    is_runnable_[i] = true;
  }
  while (!is_over()) {
    const Nanos now = now_nanos();
    if (auto done = turn(now); !done) return done;
    Nanos until = std::min(next_sample_, now + 100 * kMillisecond);
    if (next_tick_ != 0 && tick_ == 0) until = std::min(until, next_tick_);
    if (context_.end != 0 && !is_finishing_) until = std::min(until, context_.end);
    if (!wakes_.empty()) until = std::min(until, wakes_.top().when);
    if (!runnable_.empty()) until = now;
    if (auto done = wait(until); !done) return done;
  }
  const Nanos now = now_nanos();
  sample(now);
  result_.seconds = to_seconds(last_visible_ - start_);
  result_.wire_bytes = context_.wire_bytes;
  return {};
}

bool LoadRun::is_over() const {
  if (!is_finishing_ || !pending_.empty() || tick_ != 0) return false;
  for (const auto& stream : streams_) {
    if (!stream->is_done()) return false;
  }
  return std::ranges::all_of(committers_, [](const auto& committer) { return committer->waiting() == 0; });
}

std::expected<void, std::string> LoadRun::turn(Nanos now) {
  if (!is_finishing_ && ((context_.end != 0 && now >= context_.end) || context_.bytes_left == 0)) {
    is_finishing_ = true;
    for (const auto& stream : streams_) {
      result_.rows_late += context_.bytes_left == 0 ? 0 : stream->rows_unsent(now);
      stream->finish();
    }
    for (std::uint32_t i = 0; i < streams_.size(); ++i) {
      if (auto done = pump(i, now); !done) return done;
    }
  }
  if (next_tick_ != 0 && tick_ == 0 && now >= next_tick_ && !is_finishing_) {
    if (auto done = checkpoint(now); !done) return done;
  }
  // The last rows of a run are its last checkpoint.
  if (is_finishing_ && tick_ == 0 && !pending_.empty() &&
      std::ranges::all_of(streams_, [](const auto& stream) { return stream->is_done(); })) {
    tick_ = now;
    if (auto done = commit_pending(); !done) return done;
  }
  while (!wakes_.empty() && wakes_.top().when <= now) {
    const Wake wake = wakes_.top();
    wakes_.pop();
    if (wake_of_[wake.stream] != wake.when) continue;
    wake_of_[wake.stream] = 0;
    if (auto done = pump(wake.stream, now); !done) return done;
  }
  for (std::size_t left = runnable_.size(); left > 0; --left) {
    const std::uint32_t stream = runnable_.front();
    runnable_.pop_front();
    is_runnable_[stream] = false;
    if (auto done = pump(stream, now_nanos()); !done) return done;
  }
  if (now >= next_sample_) {
    sample(now);
    next_sample_ = now + kSampleEvery;
    return judge_patience(now);
  }
  return {};
}

std::expected<void, std::string> LoadRun::pump(std::uint32_t stream, Nanos now) {
  LoadStream& one = *streams_[stream];
  // Loads of a size that wait for their commits: no more of them than the server can follow.
  one.hold(is_two_phase() && tick_period_ == 0 && committers_[stream]->waiting() >= 4);
  auto more = one.pump(now, kBlocksATurn);
  if (!more) return std::unexpected(more.error());
  if (one.wants_writable() != watches_writable_[stream]) watch(stream);
  if (*more) {
    if (!is_runnable_[stream]) {
      is_runnable_[stream] = true;
      runnable_.push_back(stream);
    }
  } else {
    schedule_wake(stream, now);
  }
  return {};
}

void LoadRun::schedule_wake(std::uint32_t stream, Nanos now) {
  const Nanos when = streams_[stream]->next_wake(now);
  if (when == 0 || wake_of_[stream] == when) return;
  wake_of_[stream] = when;
  wakes_.push({.when = when, .stream = stream});
}

void LoadRun::watch(std::uint32_t stream) {
  const bool writable = streams_[stream]->wants_writable();
  watches_writable_[stream] = writable;
  epoll_event event{.events = EPOLLIN | (writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0u),
                    .data = {.u64 = stream}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, streams_[stream]->socket(), &event);
}

std::expected<void, std::string> LoadRun::wait(Nanos until) {
  const Nanos left = std::max<Nanos>(0, until - now_nanos());
  const timespec patience{.tv_sec = left / kSecond, .tv_nsec = left % kSecond};
  epoll_event events[64];
  const int count = ::epoll_pwait2(epoll_, events, std::size(events), &patience, nullptr);
  if (count < 0 && errno != EINTR) return std::unexpected(fmt::format("epoll: {}", std::strerror(errno)));
  for (int i = 0; i < count; ++i) {
    const auto stream = static_cast<std::uint32_t>(events[i].data.u64);
    const bool is_committer = (events[i].data.u64 & kCommitterBit) != 0;
    if (is_committer) {
      if (auto done = take_commit(stream); !done) return done;
      continue;
    }
    if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      if (auto done = take_answer(stream); !done) return done;
    }
    if ((events[i].events & EPOLLOUT) != 0) {
      if (auto done = pump(stream, now_nanos()); !done) return done;
    }
  }
  return {};
}

std::expected<void, std::string> LoadRun::take_answer(std::uint32_t stream) {
  Load load;
  auto got = streams_[stream]->receive(load);
  if (!got) return std::unexpected(got.error());
  if (!*got) return {};
  if (auto done = answered(std::move(load)); !done) return done;
  return pump(stream, now_nanos());
}

std::expected<void, std::string> LoadRun::take_commit(std::uint32_t stream) {
  Load load;
  for (;;) {
    auto got = committers_[stream]->receive(load);
    if (!got) return std::unexpected(got.error());
    if (!*got) return {};
    const Nanos now = now_nanos();
    visible(std::move(load), now);
    if (tick_ != 0 && commits_left_ > 0) --commits_left_;
    end_checkpoint_if_done(now);
    if (auto done = pump(stream, now); !done) return done;
  }
}

std::expected<void, std::string> LoadRun::answered(Load load) {
  ++answers_;
  ++current_.answers;
  const std::uint32_t stream = load.stream;
  const Nanos now = load.answered;
  result_.reply.add(now - load.sent);
  for (const RowSpan& span : load.spans) result_.ack.add_spread(now - span.first, now - span.last, span.rows);
  if (!is_two_phase()) {
    visible(std::move(load), now);
  } else if (tick_period_ == 0) {
    if (auto asked = committers_[stream]->commit(std::move(load)); !asked) return asked;
  } else {
    pending_.push_back(std::move(load));
  }
  if (takes_part_[stream]) {
    takes_part_[stream] = false;
    if (--parts_left_ == 0) {
      if (auto done = commit_pending(); !done) return done;
    }
  }
  return {};
}

void LoadRun::visible(Load load, Nanos when) {
  last_visible_ = std::max(last_visible_, when);
  ++result_.loads;
  result_.rows += load.rows;
  result_.bytes += load.bytes;
  current_.visible_rows += load.rows;
  current_.visible_bytes += load.bytes;
  visible_bytes_ += load.bytes;
  for (const RowSpan& span : load.spans) {
    result_.freshness.add_spread(when - span.first, when - span.last, span.rows);
    sample_freshness_.add_spread(when - span.first, when - span.last, span.rows);
  }
  if (load.spans.empty() || visible_loads_.size() == kVisibleLoadsMax) {
    result_.is_seen_complete = result_.is_seen_complete && load.spans.empty();
    return;
  }
  visible_loads_.push_back(
      {.visible = when,
       .span = {.first = load.spans.front().first, .last = load.spans.back().last, .rows = load.rows}});
}

// Every open load ends here; what comes later belongs to the next checkpoint.
std::expected<void, std::string> LoadRun::checkpoint(Nanos now) {
  tick_ = next_tick_;
  next_tick_ += tick_period_;
  if (next_tick_ <= now) {
    const Nanos missed = (now - next_tick_) / tick_period_ + 1;
    result_.checkpoints_late += static_cast<std::uint64_t>(missed);
    next_tick_ += missed * tick_period_;
  }
  parts_left_ = 0;
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    // Rows that were due before the tick and are not in a load yet are in this checkpoint too.
    if (streams_[i]->schedule().is_paced()) {
      if (auto done = pump(i, now); !done) return done;
    }
    streams_[i]->end_load(now);
    takes_part_[i] = streams_[i]->has_open_load();
    if (takes_part_[i]) ++parts_left_;
  }
  if (parts_left_ == 0) return commit_pending();
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    if (auto done = pump(i, now); !done) return done;
  }
  return {};
}

std::expected<void, std::string> LoadRun::commit_pending() {
  std::vector<Load> loads;
  loads.swap(pending_);
  commits_left_ = loads.size();
  for (Load& load : loads) {
    const std::uint32_t stream = load.stream;
    if (auto asked = committers_[stream]->commit(std::move(load)); !asked) return asked;
  }
  end_checkpoint_if_done(now_nanos());
  return {};
}

void LoadRun::end_checkpoint_if_done(Nanos now) {
  if (tick_ == 0 || parts_left_ > 0 || commits_left_ > 0) return;
  if (!is_finishing_ || next_tick_ == 0) result_.checkpoint.add(now - tick_);
  tick_ = 0;
}

void LoadRun::sample(Nanos now) {
  current_.at = to_seconds(now - start_);
  current_.seconds = to_seconds(now - sampled_at_);
  current_.sent_bytes = context_.sent_bytes - sampled_bytes_;
  if (sample_freshness_.weight() > 0) {
    current_.has_freshness = true;
    current_.fresh_p50_ms = to_millis(sample_freshness_.percentile(50));
    current_.fresh_p99_ms = to_millis(sample_freshness_.percentile(99));
    current_.fresh_max_ms = to_millis(sample_freshness_.max());
    fresh_max_since_print_ = std::max(fresh_max_since_print_, current_.fresh_max_ms);
    sample_freshness_.clear();
  }
  if (wanted_.server_pid != 0) {
    current_.server_rss = process_status_bytes(wanted_.server_pid, "VmRSS").value_or(0);
  }
  printed_.sent_bytes += current_.sent_bytes;
  printed_.visible_rows += current_.visible_rows;
  printed_.visible_bytes += current_.visible_bytes;
  printed_.answers += current_.answers;
  sampled_bytes_ = context_.sent_bytes;
  sampled_at_ = now;
  result_.samples.push_back(current_);
  current_ = {};
  if (now - printed_at_ >= kSecond - kMillisecond) print_progress(now);
}

void LoadRun::print_progress(Nanos now) {
  const double seconds = to_seconds(now - printed_at_);
  if (!wanted_.quiet) {
    std::fprintf(stderr,
                 "%7.1f s  sent %7.1f MB/s  visible %7.1f MB/s %10.0f rows/s  %7.0f answers/s  freshness max "
                 "%.1f ms\n",
                 to_seconds(now - start_), static_cast<double>(printed_.sent_bytes) / 1e6 / seconds,
                 static_cast<double>(printed_.visible_bytes) / 1e6 / seconds,
                 static_cast<double>(printed_.visible_rows) / seconds,
                 static_cast<double>(printed_.answers) / seconds, fresh_max_since_print_);
  }
  printed_at_ = now;
  printed_ = {};
  fresh_max_since_print_ = 0;
}

std::expected<void, std::string> LoadRun::judge_patience(Nanos now) {
  if (context_.wire_bytes != moved_bytes_ || answers_ + result_.loads != moved_answers_) {
    moved_bytes_ = context_.wire_bytes;
    moved_answers_ = answers_ + result_.loads;
    moved_at_ = now;
  }
  const bool is_waiting =
      std::ranges::any_of(streams_, [](const auto& stream) { return stream->has_open_load(); }) ||
      !pending_.empty() || tick_ != 0;
  if (!is_waiting) moved_at_ = now;
  if (to_seconds(now - moved_at_) <= wanted_.patience_seconds) return {};
  return std::unexpected(
      fmt::format("nothing moved for {:.0f} s: no byte was taken, no load was answered (--patience)",
                  wanted_.patience_seconds));
}

}  // namespace penstock::tools
