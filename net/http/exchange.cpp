#include "net/http/exchange.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace penstock::net {
namespace {

constexpr std::size_t kStreamChunk = 32 * core::kKiB;
constexpr std::size_t kSizeLine = 10;                   // "7fff8000\r\n": room in front of a chunk
constexpr std::size_t kSendTogether = 16 * core::kKiB;  // a body up to here goes out with its head

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::int64_t wall_micros) {
  using namespace std::chrono;
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const seconds since_1970 = floor<seconds>(microseconds(wall_micros));
  const days day_count = floor<days>(since_1970);
  const year_month_day date{sys_days(day_count)};
  const hh_mm_ss time{since_1970 - day_count};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[weekday(sys_days(day_count)).c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

// A header's text may come from outside: it must not end its line.
void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) out.push_back(c);
  }
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  append_clean(out, name);
  out += ": ";
  append_clean(out, value);
  out += "\r\n";
}

}  // namespace

Exchange::Exchange(HttpContext& context, Wire& wire, Request request, std::unique_ptr<HandoverState> handover,
                   bool moved)
    : context_(context),
      wire_(wire),
      request_(std::move(request)),
      body_(context, wire, request_),
      handover_(std::move(handover)),
      was_moved_(moved) {}

std::string_view Exchange::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return {};
}

core::Task<core::Result<>> Exchange::send_continue() {
  if (continue_sent_ || has_replied() || !request_.expects_continue()) co_return core::Result<>{};
  continue_sent_ = true;
  co_return co_await wire_.send(core::as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
}

core::Task<core::Result<std::string>> Exchange::read_body(std::size_t bytes_max) {
  CO_TRY_VOID(co_await send_continue());
  co_return co_await body_.read_all(bytes_max);
}

void Exchange::decide_keep_alive() {
  keep_alive_ = request_.wants_keep_alive() && body_.is_finished() && !body_.lost_what_follows() &&
                !context_.is_draining && !closes_after_reply_;
}

bool Exchange::sends_body(const Response& response) const {
  return response.status >= 200 && response.status != 204 && response.status != 304;
}

std::string Exchange::make_head(const Response& response, std::optional<std::size_t> length) {
  std::string head;
  head.reserve(256);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status,
                 reason_phrase(response.status));
  if (!response.content_type.empty()) append_header(head, "Content-Type", response.content_type);
  if (length) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", *length);
  if (is_chunked_) head += "Transfer-Encoding: chunked\r\n";
  for (const auto& [name, value] : response.headers) append_header(head, name, value);
  if (!keep_alive_) {
    head += "Connection: close\r\n";
  } else if (request_.is_http_1_0()) {
    head += "Connection: keep-alive\r\n";
  }
  append_header(head, "Date", http_date(context_.shard.now().wall_micros));
  head += "\r\n";
  return head;
}

core::Task<core::Result<>> Exchange::reply(Response response) {
  CHECK(!has_replied() && !move_target_);
  reply_state_ = ReplyState::Done;
  decide_keep_alive();
  body_.put_down();  // the client may be slow to take the reply
  const bool has_body = sends_body(response);
  std::string out = make_head(response, has_body ? std::optional(response.body.size()) : std::nullopt);
  if (!has_body || request_.method() == Method::Head) response.body.clear();
  if (response.body.size() <= kSendTogether) {
    out += response.body;
    response.body = std::string();
  }
  CO_TRY_VOID(co_await wire_.send(core::as_bytes(out)));
  co_return co_await wire_.send(core::as_bytes(response.body));
}

core::Task<core::Result<>> Exchange::begin_reply(Response head) {
  CHECK(!has_replied() && !move_target_);
  reply_state_ = ReplyState::Streaming;
  decide_keep_alive();
  body_.put_down();
  drops_body_ = request_.method() == Method::Head;
  is_chunked_ = !request_.is_http_1_0();
  if (!is_chunked_) keep_alive_ = false;  // the end of the connection is the end of the reply
  co_return co_await wire_.send(core::as_bytes(make_head(head, std::nullopt)));
}

core::Task<core::Result<>> Exchange::write(core::Bytes bytes) {
  CHECK(reply_state_ == ReplyState::Streaming);
  if (drops_body_) co_return core::Result<>{};
  while (!bytes.empty()) {
    if (stream_.empty()) {
      stream_.reserve(kSizeLine + kStreamChunk + 2);
      stream_.assign(kSizeLine, ' ');
    }
    const std::size_t room = kSizeLine + kStreamChunk - stream_.size();
    const core::Bytes part = bytes.first(std::min(room, bytes.size()));
    stream_.append(core::as_text(part));
    bytes = bytes.subspan(part.size());
    if (stream_.size() == kSizeLine + kStreamChunk) CO_TRY_VOID(co_await send_chunk());
  }
  co_return core::Result<>{};
}

core::Task<core::Result<>> Exchange::send_chunk() {
  if (stream_.size() <= kSizeLine) co_return core::Result<>{};
  std::size_t from = kSizeLine;
  if (is_chunked_) {
    const std::string size_line = fmt::format("{:x}\r\n", stream_.size() - kSizeLine);
    from -= size_line.size();
    stream_.replace(from, size_line.size(), size_line);
    stream_ += "\r\n";
  }
  core::Result<> sent = co_await wire_.send(core::as_bytes(std::string_view(stream_).substr(from)));
  stream_.resize(kSizeLine);
  co_return sent;
}

core::Task<core::Result<>> Exchange::flush() { return send_chunk(); }

core::Task<core::Result<>> Exchange::end_reply() {
  CHECK(reply_state_ == ReplyState::Streaming);
  core::Result<> sent = co_await send_chunk();
  stream_ = std::string();
  if (sent && is_chunked_ && !drops_body_) sent = co_await wire_.send(core::as_bytes("0\r\n\r\n"));
  if (sent) reply_state_ = ReplyState::Done;
  co_return sent;
}

void Exchange::move_to(core::ShardId target, std::unique_ptr<HandoverState> state) {
  CHECK(!has_replied() && !body_.has_begun() && !was_moved_ && !move_target_);
  CHECK(target != context_.shard.id());
  move_target_ = target;
  handover_ = std::move(state);
}

}  // namespace penstock::net
