#include "tests/crash/file_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

namespace penstock::crash {
namespace {

using core::OpKind;

constexpr std::size_t kTraceLines = 60;
constexpr std::array<char, 4> kRecordMagic = {'P', 'S', 'R', 'C'};

const char* kind_name(const core::Op& op) {
  switch (op.kind) {
    case OpKind::Close:
      return "close";
    case OpKind::OpenDir:
      return "open folder";
    case OpKind::Open:
      return "open";
    case OpKind::Read:
      return "read";
    case OpKind::Write:
      return op.durable ? "durable write" : "write";
    case OpKind::Sync:
      return "sync";
    case OpKind::Allocate:
      return "allocate";
    case OpKind::Truncate:
      return "truncate";
    case OpKind::DropCache:
      return "drop cache";
    case OpKind::Size:
      return "size";
    case OpKind::MakeDir:
      return "make folder";
    case OpKind::Unlink:
      return "unlink";
    case OpKind::Rename:
      return "rename";
    case OpKind::SyncDir:
      return "sync folder";
    case OpKind::List:
      return "list";
    case OpKind::Lock:
      return "lock";
    case OpKind::Timer:
      return "timer";
    case OpKind::Wake:
      return "wake";
    default:
      return "socket";
  }
}

bool is_watched(const std::string& name) {
  return name.starts_with("journal-") || name.starts_with("log-") || name.starts_with("labels-");
}

}  // namespace

void FileWatch::attach(sim::SimScene& scene, bool keep_trace) {
  keep_trace_ = keep_trace;
  handles_.clear();
  scene.on_submit = [this](std::uint64_t index, const core::Op& op) { submitted(index, op); };
  scene.on_complete = [this](std::uint64_t index, const core::Op& op) { completed(index, op); };
}

std::string FileWatch::name_of(const core::Op& op) const {
  if (op.path != nullptr) return op.path;
  const auto found = handles_.find(op.handle);
  return found == handles_.end() ? "" : found->second;
}

void FileWatch::note(std::uint64_t index, const core::Op& op, bool is_end) {
  if (!keep_trace_ || op.kind == OpKind::Wake || op.kind == OpKind::Timer) return;
  trace_.push_back(is_end ? fmt::format("{:>6}   {} {} -> {}", index, kind_name(op), name_of(op), op.result)
                          : fmt::format("{:>6} > {} {} at {} length {}", index, kind_name(op), name_of(op),
                                        op.offset, op.length));
  if (trace_.size() > kTraceLines) trace_.pop_front();
}

void FileWatch::submitted(std::uint64_t index, const core::Op& op) {
  note(index, op, false);
  if (op.kind == OpKind::Open && op.open.create_exclusive) {
    files_.erase(op.path);  // a name that a power loss took away may come again
    return;
  }
  const bool changes = op.kind == OpKind::Write || op.kind == OpKind::Allocate || op.kind == OpKind::Truncate;
  if (!changes) return;
  const auto found = handles_.find(op.handle);
  if (found == handles_.end() || !is_watched(found->second)) return;
  const std::string& name = found->second;
  Watched& file = files_[name];
  if (op.kind == OpKind::Write) {
    const bool is_log = name.starts_with("log-");
    const bool is_record =
        is_log && op.length >= 4 && std::memcmp(op.data, kRecordMagic.data(), kRecordMagic.size()) == 0;
    if (is_record) {
      ++commit_records_;
      if (file.is_dirty && violation_.empty()) {
        violation_ =
            fmt::format("operation {}: a commit record goes to {} at offset {}, which has unsynced writes",
                        index, name, op.offset);
      }
      file.is_ready = true;
    }
    if (!is_log || file.is_ready) check_pages(index, op, name, file);
  }
  file.durable_write = op.durable && !file.is_dirty ? index : 0;
  file.is_dirty = true;
}

void FileWatch::check_pages(std::uint64_t index, const core::Op& op, const std::string& name, Watched& file) {
  const std::uint64_t first = op.offset / core::kPage;
  const std::uint64_t end = (op.offset + op.length + core::kPage - 1) / core::kPage;
  const bool is_zeros =
      name.starts_with("journal-") &&
      std::all_of(op.data, op.data + op.length, [](std::byte each) { return each == std::byte{}; });
  if (is_zeros) {
    ++zero_writes_;
    file.zeros[index] = {first, end};
    const auto record = file.pages.lower_bound(first);
    if (record != file.pages.end() && violation_.empty()) {
      violation_ = fmt::format("operation {}: zeros go to page {} of {}, and a record to page {}", index,
                               first, name, record->first);
    }
    return;
  }
  for (const auto& [zeros, pages] : file.zeros) {
    if (first < pages.second && end > pages.first && violation_.empty()) {
      violation_ = fmt::format("operation {}: page {} of {} is written while operation {} writes zeros to it",
                               index, first, name, zeros);
    }
  }
  const std::string_view bytes(reinterpret_cast<const char*>(op.data), op.length);
  for (std::uint64_t page = first; page < end; ++page) {
    const auto hash = std::hash<std::string_view>{}(bytes.substr((page - first) * core::kPage, core::kPage));
    const auto [at, is_new] = file.pages.emplace(page, hash);
    const bool is_again = op.durable && name.starts_with("journal-") && at->second == hash;
    if (!is_new && !is_again && violation_.empty()) {
      violation_ = fmt::format("operation {}: page {} of {} is written twice", index, page, name);
    }
  }
}

void FileWatch::completed(std::uint64_t index, const core::Op& op) {
  note(index, op, true);
  if (op.kind == OpKind::Open && op.result >= 0) handles_[static_cast<int>(op.result)] = op.path;
  if (op.kind == OpKind::Close) handles_.erase(op.handle);
  if (op.kind == OpKind::Write) {
    const auto found = handles_.find(op.handle);
    const auto file = found == handles_.end() ? files_.end() : files_.find(found->second);
    if (file != files_.end()) file->second.zeros.erase(index);
  }
  if (op.durable && op.result > 0) {
    const auto found = handles_.find(op.handle);
    const auto file = found == handles_.end() ? files_.end() : files_.find(found->second);
    if (file != files_.end() && file->second.durable_write == index) file->second.is_dirty = false;
  }
  if (op.kind == OpKind::Sync && op.result == 0) {
    const auto found = handles_.find(op.handle);
    if (found != handles_.end()) files_[found->second].is_dirty = false;
  }
}

}  // namespace penstock::crash
