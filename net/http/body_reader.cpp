#include "net/http/body_reader.hpp"

#include <algorithm>

namespace penstock::net {
namespace {
// What fits a head buffer is not worth one of the few big ones, and less of a following request comes with
// it.
constexpr std::uint64_t kSmallRest = 4 * core::kKiB;
}  // namespace

BodyReader::BodyReader(HttpContext& context, Wire& wire, const Request& request)
    : context_(context),
      wire_(wire),
      kind_(request.body_length()),
      left_(kind_ == BodyLength::Length ? request.content_length() : 0),
      idle_limit_(context.options.body_idle_max) {
  // With both lengths nobody can say where the body ends: it is never read, and never finished.
  is_finished_ = kind_ == BodyLength::None || (kind_ == BodyLength::Length && left_ == 0);
}

void BodyReader::finish() {
  is_finished_ = true;
  lost_what_follows_ = !wire_.put_down();
}

void BodyReader::put_down() {
  if (is_finished_ || wire_.put_down()) return;
  is_broken_ = true;  // a piece is missing: where the body ends cannot be known any more
}

// The next payload that is already here; empty if there is none.
core::Bytes BodyReader::take_from_rest() {
  const core::Bytes rest = wire_.rest();
  if (kind_ == BodyLength::Length) {
    const core::Bytes piece =
        rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), left_)));
    left_ -= piece.size();
    wire_.consume(piece.size());
    return piece;
  }
  const ChunkedDecoder::Step step = chunks_.step(rest);
  wire_.consume(step.skipped + step.payload);
  return rest.subspan(step.skipped, step.payload);
}

core::Task<core::Result<BodyPiece>> BodyReader::next() {
  if (is_finished_) co_return BodyPiece{};
  if (kind_ == BodyLength::Both || is_broken_) {
    is_broken_ = true;
    co_return core::fail(core::Errc::InvalidArgument, "the body's framing cannot be parsed");
  }
  has_begun_ = true;
  for (;;) {
    const core::Bytes piece = take_from_rest();
    if (!piece.empty()) {
      bytes_read_ += piece.size();
      co_return BodyPiece{piece};
    }
    if (chunks_.is_bad()) {
      is_broken_ = true;
      co_return core::fail(core::Errc::InvalidArgument, "the body's framing cannot be parsed");
    }
    if (chunks_.is_ended() || (kind_ == BodyLength::Length && left_ == 0)) {
      finish();
      co_return BodyPiece{};
    }
    const core::Instant now = context_.now();
    if (deadline_ <= now) co_return core::fail(core::Errc::TimedOut, "receiving a body");
    const bool is_small = kind_ == BodyLength::Length && left_ <= kSmallRest;
    CO_TRY(const bool more, co_await wire_.receive(is_small ? core::BufferRing::Head : core::BufferRing::Body,
                                                   std::min(deadline_, now + idle_limit_)));
    if (!more)
      co_return core::fail(core::Errc::Closed, "the client ended the connection in the middle of a body");
  }
}

core::Task<core::Result<>> BodyReader::discard_rest(DiscardLimits limits) {
  deadline_ = std::min(deadline_, limits.deadline);
  const std::uint64_t before = bytes_read_;
  for (;;) {
    CO_TRY(const BodyPiece piece, co_await next());
    if (piece.is_end()) co_return core::Result<>{};
    if (bytes_read_ - before > limits.bytes_max)
      co_return core::fail(core::Errc::TooLarge, "discarding a body");
    if (deadline_ <= context_.now()) co_return core::fail(core::Errc::TimedOut, "discarding a body");
  }
}

core::Task<core::Result<std::string>> BodyReader::read_all(std::size_t bytes_max) {
  std::string body;
  for (;;) {
    CO_TRY(const BodyPiece piece, co_await next());
    if (piece.is_end()) co_return body;
    if (piece.bytes.size() > bytes_max - body.size())
      co_return core::fail(core::Errc::TooLarge, "reading a body");
    body.append(core::as_text(piece.bytes));
  }
}

}  // namespace penstock::net
