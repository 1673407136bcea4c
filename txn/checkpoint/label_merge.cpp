#include "txn/checkpoint/label_merge.hpp"

#include "txn/checkpoint/label_cursor.hpp"

namespace penstock::txn {
namespace {

using Text = std::expected<void, std::string>;
using LabelPart = LabelCursor<LabelEntryReader, LabelEntry>;
using TxnPart = LabelCursor<TxnEntryReader, TxnEntry>;

bool is_before(const LabelEntry& a, const LabelEntry& b) { return order(a, b) < 0; }
bool is_before(const TxnEntry& a, const TxnEntry& b) { return a.txn < b.txn; }

// The runs' entries in one order, the newest of equal ones.
template <class Cursor>
core::Task<Text> merge_part(LabelRunWriter* writer, std::vector<Cursor>* parts,
                            const LabelRetention* retention, const bool* give_up) {
  for (Cursor& part : *parts) {
    if (auto filled = co_await part.fill(); !filled) co_return filled;
  }
  for (;;) {
    Cursor* least = nullptr;
    for (Cursor& part : *parts) {  // oldest first: of equal ones the last stays
      if (part.has_entry() && (least == nullptr || !is_before(least->entry(), part.entry()))) least = &part;
    }
    if (least == nullptr) co_return Text{};
    if (retention->keeps(least->entry().database, least->entry().finished_at)) writer->add(least->entry());
    for (Cursor& part : *parts) {
      if (&part == least || !part.has_entry() || is_before(least->entry(), part.entry())) continue;
      part.step();
      if (!part.needs_fill()) continue;
      if (auto filled = co_await part.fill(); !filled) co_return filled;
    }
    least->step();
    if (least->needs_fill()) {
      if (auto filled = co_await least->fill(); !filled) co_return filled;
    }
    if (writer->wants_write()) {
      if (auto written = co_await writer->write(); !written)
        co_return std::unexpected(written.error().to_string());
    }
    if (writer->is_breath_due()) co_await writer->breathe();
    if (*give_up) co_return std::unexpected(std::string());
  }
}

core::Task<Text> merge_into(LabelRunWriter* writer, std::vector<std::shared_ptr<LabelRun>> runs,
                            LabelRetention retention, const bool* give_up) {
  std::uint64_t bytes = 0;  // no more than that comes out: a disk without room is left as it is
  for (const auto& run : runs) bytes += run->info().length;
  if (auto opened = co_await writer->open(bytes); !opened)
    co_return std::unexpected(opened.error().to_string());
  std::vector<LabelPart> labels;
  std::vector<TxnPart> txns;
  for (const auto& run : runs) {
    const LabelRunIndex& index = run->index();
    labels.emplace_back(run, LabelRunIndex::label_page_offset(0), index.label_pages.size());
    txns.emplace_back(run, index.txn_page_offset(0), index.txn_pages.size());
  }
  if (auto merged = co_await merge_part(writer, &labels, &retention, give_up); !merged) co_return merged;
  writer->end_labels();
  co_return co_await merge_part(writer, &txns, &retention, give_up);
}

}  // namespace

core::Task<std::expected<std::shared_ptr<LabelRun>, std::string>> merge_label_runs(
    LabelPlace place, FileId id, std::uint32_t level, std::vector<std::shared_ptr<LabelRun>> runs,
    LabelRetention retention, const bool* give_up) {
  std::uint64_t labels_max = 0;
  for (const auto& run : runs) labels_max += run->info().labels;
  LabelRunWriter writer(place, id, level, labels_max);
  auto merged = co_await merge_into(&writer, std::move(runs), std::move(retention), give_up);
  if (merged) {
    auto run = co_await writer.finish();
    if (run) co_return std::move(*run);
    merged = std::unexpected(run.error().to_string());
  }
  co_await writer.abandon();
  co_return std::unexpected(merged.error());
}

}  // namespace penstock::txn
