#include "net/http/body_reader.hpp"

#include <algorithm>

namespace penstock::net {
namespace {
// What fits a head buffer is not worth one of the few big ones, and less of a following request comes with
// it.
constexpr std::uint64_t kSmallRest = 16 * core::kKiB;
constexpr core::Duration kReadOnTurn = std::chrono::milliseconds(5);
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
    core::Bytes piece = rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), left_)));
    if (piece.size() > 1 && context_.shard.perhaps(core::Perhaps::BodyPieceIsShort)) {
      piece = piece.first(piece.size() / 2);
    }
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

// Goes over the framing of bytes that have come, and leaves them for next().
class BodyReader::Skim {
 public:
  Skim(BodyLength kind, const ChunkedDecoder& chunks, std::uint64_t left)
      : kind_(kind), chunks_(chunks), left_(left) {}

  void feed(core::Bytes bytes) {
    if (kind_ == BodyLength::Length) {
      left_ -= std::min<std::uint64_t>(left_, bytes.size());
      return;
    }
    while (!bytes.empty() && !chunks_.is_bad() && !chunks_.is_ended()) {
      const ChunkedDecoder::Step step = chunks_.step(bytes);
      bytes = bytes.subspan(step.skipped + step.payload);
    }
  }
  BodyStand stand() const {
    if (chunks_.is_bad()) return BodyStand::Cut;
    const bool is_whole = kind_ == BodyLength::Length ? left_ == 0 : chunks_.is_ended();
    return is_whole ? BodyStand::Whole : BodyStand::Open;
  }

 private:
  const BodyLength kind_;
  ChunkedDecoder chunks_;
  std::uint64_t left_;
};

struct BodyReader::Look {
  bool is_over = false;  // it was received for long enough, or the body is left
  core::Op* timer = nullptr;
  core::Event timer_ended;
};

core::Task<void> BodyReader::end_in_time(BodyReader* self, Look* look, core::Instant deadline) {
  if (!look->is_over) {
    core::AwaitOp timer(self->context_.shard.kernel(),
                        core::Op{.kind = core::OpKind::Timer, .deadline = deadline});
    look->timer = &timer;
    (void)co_await timer;
    look->timer = nullptr;
    if (!look->is_over) self->wire_.stop_receiving();
    look->is_over = true;
  }
  look->timer_ended.set();
}

core::Task<BodyStand> BodyReader::read_on() {
  ++reading_on_;
  const BodyStand stand = co_await find_out();
  --reading_on_;
  if (reading_on_ == 0) reading_on_ended_.notify_all();
  co_return stand;
}

// Looks, or waits for one who does, until it is known how the body stands.
core::Task<BodyStand> BodyReader::find_out() {
  const core::Instant give_up = context_.now() + context_.options.read_on_wait_max;
  const std::uint64_t alive_at = wire_.bytes_received() + context_.options.read_on_alive_bytes;
  // One that has begun may be about to end: the news that made the client ask need not have come by then.
  const auto next_look = [this] { return look_number_ + (is_looking_ && look_ == nullptr ? 0 : 1); };
  std::uint64_t number = next_look();
  while (!is_being_left_ && !wire_.is_cancelled()) {
    if (is_finished_ || last_look_ == BodyStand::Whole) co_return BodyStand::Whole;
    if (kind_ == BodyLength::Both || is_broken_ || last_look_ == BodyStand::Cut) co_return BodyStand::Cut;
    if (looks_ended_ >= number) {
      const bool is_alive = last_look_ == BodyStand::Open || wire_.bytes_received() >= alive_at;
      if (is_alive) co_return BodyStand::Open;
      if (context_.now() >= give_up) break;
      (void)co_await context_.shard.sleep_for(kReadOnTurn);
      number = next_look();
    } else if (is_looking_) {
      co_await reading_on_ended_.wait();
    } else {
      ++look_number_;
      is_looking_ = true;
      last_look_ = co_await look(give_up);
      is_looking_ = false;
      looks_ended_ = look_number_;
      reading_on_ended_.notify_all();
    }
  }
  co_return BodyStand::NotLooked;
}

// Turns are asked for again and again: one who waits may have to leave.
core::Task<BodyStand> BodyReader::look(core::Instant give_up) {
  while (context_.read_on_turns.free() == 0) {
    if (is_being_left_ || wire_.is_cancelled() || context_.now() >= give_up) co_return BodyStand::NotLooked;
    (void)co_await context_.shard.sleep_for(kReadOnTurn);
  }
  if (is_being_left_) co_return BodyStand::NotLooked;
  co_await context_.read_on_turns.acquire();
  const BodyStand stand = co_await look_for_end();
  context_.read_on_turns.release();
  co_return stand;
}

core::Task<BodyStand> BodyReader::look_for_end() {
  Look look;
  look_ = &look;
  co_await wire_.take_over();
  context_.shard.spawn(end_in_time(this, &look, context_.now() + context_.options.read_on_time_max));
  BodyStand stand = BodyStand::Whole;
  if (!is_finished_) {
    Skim skim(kind_, chunks_, left_);
    skim.feed(wire_.rest());
    for (const Carry& each : wire_.held()) skim.feed(each.rest());
    stand = co_await look_for_end(look, skim);
  }
  look.is_over = true;
  if (look.timer != nullptr) context_.shard.kernel().cancel(*look.timer);
  co_await look.timer_ended.wait();
  look_ = nullptr;
  wire_.hand_back();
  co_return stand;
}

core::Task<BodyStand> BodyReader::look_for_end(Look& look, Skim& skim) {
  constexpr std::size_t kPieceMax = 4 * core::kMiB;
  const HttpOptions& options = context_.options;
  std::size_t held = 0;
  for (const Carry& each : wire_.held()) held += each.rest().size();
  for (;;) {
    if (skim.stand() != BodyStand::Open) co_return skim.stand();
    if (wire_.held_end()) co_return BodyStand::Cut;
    if (look.is_over) co_return BodyStand::NotLooked;  // more had come: its end may lie right behind
    const std::size_t shard_left =
        options.read_on_shard_bytes_max - std::min(options.read_on_shard_bytes_max, context_.read_on_bytes);
    const std::size_t body_left = options.read_on_bytes_max - std::min(options.read_on_bytes_max, held);
    const std::size_t size = std::min({kPieceMax, body_left, shard_left});
    if (size == 0) co_return BodyStand::NotLooked;  // its end may lie right behind what is held
    core::Result<Carry> piece = co_await wire_.receive_own(size);
    if (!piece && piece.error().code == core::Errc::Cancelled) {
      const bool nothing_came = look.is_over && !is_being_left_ && !wire_.is_cancelled();
      co_return nothing_came ? BodyStand::Open : BodyStand::NotLooked;
    }
    if (!piece || piece->rest().empty()) {
      wire_.drop_held();  // of no use to anybody
      wire_.hold_end(piece ? core::Result<bool>(false) : std::unexpected(piece.error()));
      co_return BodyStand::Cut;
    }
    held += piece->rest().size();
    skim.feed(piece->rest());
    wire_.hold(std::move(*piece));
  }
}

core::Task<void> BodyReader::end_reading_on() {
  is_being_left_ = true;
  if (look_ != nullptr && !look_->is_over) {
    look_->is_over = true;
    wire_.stop_receiving();
  }
  while (reading_on_ > 0) co_await reading_on_ended_.wait();
  is_being_left_ = false;
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
