// Coordinator: a record behind the last one, where that names rows that were written beside it; and such rows at a start.
//
// A recovery looks at such rows, and takes the record for one that was never finished if they are not whole. That must not
// befall a load that was answered long ago and whose bytes have rotted since: soon after the last load a record follows, which
// is behind the rows, and from then on what does not verify is damage.
#include <algorithm>

#include "core/base/planted.hpp"
#include "core/memory/aligned_bytes.hpp"
#include "txn/checkpoint/coordinator.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

namespace {
constexpr core::Duration kSettleAfter = std::chrono::milliseconds(200);
}  // namespace

void Coordinator::want_settle() {
  if (settle_runs_ || closing_) return;
  settle_runs_ = true;
  shard_.spawn(settle_when_idle());
}

core::Task<void> Coordinator::settle_when_idle() {
  while (!closing_ && last_is_in_flight_) {
    core::AwaitOp timer(shard_.kernel(),
                        core::Op{.kind = core::OpKind::Timer, .deadline = last_in_flight_at_ + kSettleAfter});
    settle_timer_ = &timer;
    (void)co_await timer;
    settle_timer_ = nullptr;
    const bool is_time = shard_.now().monotonic >= last_in_flight_at_ + kSettleAfter;
    if (closing_ || !last_is_in_flight_ || !is_time) continue;
    if (!co_await settle_now()) last_in_flight_at_ = shard_.now().monotonic;  // no room: another time
  }
  settle_runs_ = false;
  idle_.notify_all();
}

// False: the log has no room.
core::Task<bool> Coordinator::settle_now() {
  RecordRequest request;
  request.item = TimeItem{running_seconds()};
  const auto logged = co_await submit(request);
  co_return logged.has_value();
}

// Recovery has read these bytes, which does not say that they are on the disk: a process that was killed may have left them in
// memory alone, and one that ended because their write had failed may have left them there as if it had not. Boot, which is
// durable, has them: an end in the midst of this is followed by another try.
core::Task<core::Result<>> Coordinator::write_again(const std::vector<PieceItem>& pieces) {
  if (planted(Planted::SkipPieceRewrite)) co_return core::Result<>{};
  for (const PieceItem& each : pieces) {
    auto file = co_await directory_.open_file(format_file_name(FileKind::Journal, each.piece.file),
                                              {.write = true, .direct = true});
    // Unlinked because nothing in it lives: nobody will read it.
    if (!file && file.error().code == core::Errc::NotFound && !manifest_.is_live(each.piece.file)) continue;
    if (!file) co_return std::unexpected(file.error());
    const core::AlignedBytes pages(each.bytes.size());
    std::ranges::copy(each.bytes, pages.span().begin());
    const auto written = co_await file->write_all(each.piece.offset, pages.span(), core::File::Durable::Yes);
    co_await file->close();
    if (!written) co_return std::unexpected(written.error());
  }
  co_return core::Result<>{};
}

}  // namespace penstock::txn
