#include "tools/bench/load_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace penstock::tools {
namespace {

constexpr std::size_t kReplyBytesMax = 1 << 20;
constexpr std::size_t kSpansMax = 2048;  // of one load; then neighbours become one

std::expected<void, std::string> judge(int status, const std::string& body, const std::string& location,
                                       Load& load) {
  if (status == 301 || status == 302 || status == 307 || status == 308) {
    return std::unexpected(fmt::format("the server sends loads on to {}: give that as --url", location));
  }
  simdjson::dom::parser parser;
  simdjson::dom::element reply;
  std::string_view verdict;
  std::uint64_t rows = 0;
  if (status != 200 || parser.parse(body).get(reply) != simdjson::SUCCESS ||
      reply["Status"].get(verdict) != simdjson::SUCCESS || verdict != "Success") {
    return std::unexpected(fmt::format("a load was answered with {}: {}", status, body.substr(0, 500)));
  }
  if (reply["NumberLoadedRows"].get(rows) == simdjson::SUCCESS && rows != load.rows) {
    return std::unexpected(fmt::format("a load of {} rows was answered with {} loaded rows: {}", load.rows,
                                       rows, body.substr(0, 500)));
  }
  std::uint64_t txn = 0;
  if (reply["TxnId"].get(txn) == simdjson::SUCCESS) load.txn = std::to_string(txn);
  return {};
}

}  // namespace

Nanos now_nanos() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

LoadStream::LoadStream(StreamContext& context, std::uint32_t index, RateSchedule schedule)
    : context_(context), index_(index), schedule_(schedule) {}

LoadStream::~LoadStream() {
  if (socket_ >= 0) ::close(socket_);
}

std::expected<void, std::string> LoadStream::open_blocking() {
  auto made = connect_blocking(context_.wanted.target);
  if (!made) return std::unexpected(made.error());
  socket_ = *made;
  ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
  return {};
}

std::string LoadStream::head(const std::string& length) const {
  const RunWanted& wanted = context_.wanted;
  std::string text = fmt::format("PUT /api/{}/{}/_stream_load HTTP/1.1\r\n{}{}\r\n", wanted.target.database,
                                 wanted.target.table, wanted.target.common_headers(), length);
  text +=
      wanted.format == RowFormat::Json ? "format: json\r\nread_json_by_line: true\r\n" : "format: csv\r\n";
  if (wanted.gzip) text += "compress_type: gz\r\n";
  if (wanted.mode == LoadMode::TwoPhase) text += "two_phase_commit: true\r\n";
  if (wanted.mode == LoadMode::Group) text += "group_commit: async_mode\r\n";
  if (!load_.label.empty()) text += fmt::format("label: {}\r\n", load_.label);
  return text + "\r\n";
}

std::uint64_t LoadStream::rows_due(Nanos now) const {
  if (!schedule_.is_paced()) return UINT64_MAX;
  Nanos until = now;
  if (until_ != 0) until = std::min(until, until_);
  if (context_.end != 0) until = std::min(until, context_.end - 1);
  const std::uint64_t due = schedule_.due(until);
  if (context_.load_rows == 0) return due > rows_taken_ ? due - rows_taken_ : 0;
  // Loads of a size come as a whole, each when its first row is meant to be there.
  const std::uint64_t due_loads = due == 0 ? 0 : (due - 1) / context_.load_rows + 1;
  return due_loads * context_.load_rows - std::min(rows_taken_, due_loads * context_.load_rows);
}

std::uint64_t LoadStream::rows_unsent(Nanos now) const { return schedule_.is_paced() ? rows_due(now) : 0; }

bool LoadStream::begin_load(Nanos now) {
  if (is_finishing_) {
    // What was due before the end is still sent; then that is all.
    if (!schedule_.is_paced() || rows_due(now) == 0 || context_.bytes_left == 0) {
      state_ = State::Done;
      return false;
    }
  }
  if (is_held_ || context_.bytes_left == 0 || rows_due(now) == 0) return false;
  if (context_.source.member_rows() > rows_due(now)) {
    if (is_finishing_) state_ = State::Done;
    return false;
  }
  load_ = Load{};
  load_.stream = index_;
  load_.began = now;
  if (!context_.labels.empty()) load_.label = fmt::format("{}-{}-{}", context_.labels, index_, loads_);
  ++loads_;
  rows_left_ = context_.load_rows == 0 ? UINT64_MAX : context_.load_rows;
  until_ = 0;
  has_sent_all_ = false;
  state_ = State::Sending;
  block_.clear();
  // A load of one block says its length.
  if (context_.load_rows > 0) {
    const std::uint64_t room = std::min(context_.bytes_left, context_.block_bytes);
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    while (rows < rows_left_) {
      const auto taken = context_.source.take(block_, room - std::min(room, bytes), rows_left_ - rows);
      if (taken.rows == 0) break;
      rows += taken.rows;
      bytes += taken.bytes;
      if (bytes >= room) break;
    }
    if (rows == 0) {
      state_ = State::Done;  // not even a row fits into what is left of --bytes
      context_.bytes_left = 0;
      return false;
    }
    note_rows(rows, now);
    spend(bytes);
    rows_left_ -= rows;
    if (rows_left_ == 0 || context_.bytes_left == 0) {
      head_ = head(fmt::format("Content-Length: {}", block_.size()));
      tail_.clear();
      has_sent_all_ = true;
    } else {
      head_ = head("Transfer-Encoding: chunked") + fmt::format("{:x}\r\n", block_.size());
      tail_ = "\r\n";
    }
    written_ = 0;
    return true;
  }
  head_ = head("Transfer-Encoding: chunked");
  tail_.clear();
  block_rows_bytes_ = 0;
  written_ = 0;
  return true;
}

// Rows are in the block: a run by bytes has so much less to go.
void LoadStream::spend(std::uint64_t bytes) {
  load_.bytes += bytes;
  block_rows_bytes_ = bytes;
  context_.bytes_left -= std::min(context_.bytes_left, bytes);
  if (context_.bytes_left < context_.source.ring().row_bytes_max()) context_.bytes_left = 0;
}

void LoadStream::note_rows(std::uint64_t rows, Nanos now) {
  RowSpan span{.first = now, .last = now, .rows = rows};
  if (schedule_.is_paced()) {
    const std::uint64_t first = rows_taken_;
    if (context_.load_rows > 0) {
      span.first = span.last = schedule_.intended(first - first % context_.load_rows);
    } else {
      span.first = schedule_.intended(first);
      span.last = schedule_.intended(first + rows - 1);
    }
  }
  rows_taken_ += rows;
  load_.rows += rows;
  if (schedule_.is_paced() && !load_.spans.empty() &&
      (context_.load_rows == 0 || load_.spans.back().first == span.first)) {
    load_.spans.back().last = span.last;  // one after the other at one rate
    load_.spans.back().rows += rows;
    return;
  }
  if (load_.spans.size() == kSpansMax) {
    for (std::size_t i = 0; i < kSpansMax / 2; ++i) {
      const RowSpan& a = load_.spans[2 * i];
      const RowSpan& b = load_.spans[2 * i + 1];
      load_.spans[i] = {.first = a.first, .last = b.last, .rows = a.rows + b.rows};
    }
    load_.spans.resize(kSpansMax / 2);
  }
  load_.spans.push_back(span);
}

// The next block of the open load, or its end. False: nothing is due.
bool LoadStream::fill(Nanos now) {
  head_.clear();
  block_.clear();
  tail_.clear();
  written_ = 0;
  block_rows_bytes_ = 0;
  const std::uint64_t due = std::min(context_.load_rows > 0 ? UINT64_MAX : rows_due(now), rows_left_);
  const bool goes_on = until_ == 0 && !is_finishing_;
  const bool ends_by_size = context_.load_rows > 0 && until_ == 0;
  if (due > 0 && context_.bytes_left > 0 && (schedule_.is_paced() || goes_on || ends_by_size)) {
    const auto taken = context_.source.take(block_, std::min(context_.bytes_left, context_.block_bytes), due);
    if (taken.rows > 0) {
      note_rows(taken.rows, now);
      spend(taken.bytes);
      rows_left_ -= taken.rows;
      head_ = fmt::format("{:x}\r\n", block_.size());
      tail_ = "\r\n";
      if (rows_left_ == 0) {
        tail_ += "0\r\n\r\n";
        has_sent_all_ = true;
      }
      return true;
    }
    if (context_.source.member_rows() == 0) context_.bytes_left = 0;  // no row fits into what is left
  }
  if (goes_on && context_.bytes_left > 0) return false;
  tail_ = "0\r\n\r\n";
  has_sent_all_ = true;
  return true;
}

// Whether all of the three parts are with the kernel.
std::expected<bool, std::string> LoadStream::flush() {
  const std::size_t all = head_.size() + block_.size() + tail_.size();
  while (written_ < all) {
    iovec parts[3];
    std::size_t count = 0;
    std::size_t skip = written_;
    for (std::string* const part : {&head_, &block_, &tail_}) {
      const std::size_t skipped = std::min(skip, part->size());
      skip -= skipped;
      if (skipped < part->size()) parts[count++] = {part->data() + skipped, part->size() - skipped};
    }
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      is_blocked_ = true;
      return false;
    }
    // The answer that says why may be there already: receive() reads it.
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      is_blocked_ = false;
      state_ = State::Waiting;
      load_.sent = now_nanos();
      return false;
    }
    if (sent < 0) return std::unexpected(fmt::format("sending a load: {}", std::strerror(errno)));
    written_ += static_cast<std::size_t>(sent);
    context_.wire_bytes += static_cast<std::uint64_t>(sent);
  }
  is_blocked_ = false;
  context_.sent_bytes += block_rows_bytes_;
  block_rows_bytes_ = 0;
  return true;
}

// True: it was sent, and the load has more to come.
std::expected<bool, std::string> LoadStream::send_filled() {
  auto flushed = flush();
  if (!flushed || !*flushed || !has_sent_all_) return flushed;
  state_ = State::Waiting;
  load_.sent = now_nanos();
  return false;
}

std::expected<bool, std::string> LoadStream::pump(Nanos now, int blocks) {
  for (int block = 0; block < blocks; ++block) {
    if (state_ == State::Waiting || state_ == State::Done) return false;
    if (state_ == State::Idle && !begin_load(now)) return false;
    if (auto more = send_filled(); !more || !*more) return more;
    if (!fill(now)) return false;
    if (auto more = send_filled(); !more || !*more) return more;
    if (!schedule_.is_paced()) now = now_nanos();
  }
  return true;
}

void LoadStream::end_load(Nanos until) {
  if (state_ == State::Sending) until_ = until;
}

std::expected<bool, std::string> LoadStream::receive(Load& answered) {
  char buffer[16 << 10];
  for (;;) {
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (got <= 0) {
      return std::unexpected(fmt::format("the server ended the connection of stream {}: {}", index_,
                                         got == 0 ? "closed" : std::strerror(errno)));
    }
    auto taken =
        parser_.feed(std::string_view(buffer, static_cast<std::size_t>(got)), [this](std::string_view piece) {
          if (reply_.size() < kReplyBytesMax) reply_ += piece;
        });
    if (!taken) return std::unexpected(taken.error());
    if (*taken < static_cast<std::size_t>(got))
      return std::unexpected("the server says more than one answer");
    if (!parser_.is_done()) continue;
    load_.answered = now_nanos();
    const bool was_whole = state_ == State::Waiting;
    auto judged = judge(parser_.status(), reply_, parser_.location(), load_);
    if (!judged) return std::unexpected(judged.error());
    if (!was_whole)
      return std::unexpected("the server answered a load before its end: " + reply_.substr(0, 500));
    parser_.next();
    reply_.clear();
    answered = std::move(load_);
    load_ = Load{};
    until_ = 0;
    state_ = State::Idle;
    return true;
  }
}

Nanos LoadStream::next_wake(Nanos now) const {
  if (!schedule_.is_paced() || is_blocked_ || is_held_) return 0;
  if (state_ != State::Idle && state_ != State::Sending) return 0;
  if (context_.load_rows > 0) {
    return std::max(now, schedule_.intended((rows_taken_ + context_.load_rows - 1) / context_.load_rows *
                                            context_.load_rows));
  }
  const std::uint64_t rows = std::max<std::uint64_t>(context_.source.member_rows(), 1);
  const auto flush = static_cast<Nanos>(context_.wanted.flush_ms * kMillisecond);
  return std::max(now + flush, schedule_.intended(rows_taken_ + rows - 1));
}

}  // namespace penstock::tools
