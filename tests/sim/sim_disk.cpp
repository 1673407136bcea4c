#include "tests/sim/sim_disk.hpp"

#include <algorithm>
#include <map>

#include "core/base/check.hpp"

namespace penstock::sim {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

std::uint64_t page_after(std::uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes; }

// "a/b/c" -> ("a/b", "c"); "c" -> ("", "c").
std::pair<std::string_view, std::string_view> split_path(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

SimInodeRef copy_of(const SimInodeRef& inode, std::map<const SimInode*, SimInodeRef>& copies) {
  if (inode == nullptr) return nullptr;
  SimInodeRef& copy = copies[inode.get()];
  if (copy != nullptr) return copy;
  const SimInodeRef made = copy = std::make_shared<SimInode>(*inode);  // `copy` may move while the map grows
  for (auto& [name, each] : made->names) each = copy_of(each, copies);
  for (auto& [name, each] : made->durable_names) each = copy_of(each, copies);
  for (SimNameChange& change : made->pending) change.inode = copy_of(change.inode, copies);
  return made;
}

void apply_change(std::map<std::string, SimInodeRef, std::less<>>& names, const SimNameChange& change) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names.insert_or_assign(change.added, change.inode);
}

}  // namespace

SimDisk::SimDisk() : root_(std::make_shared<SimInode>()) { root_->is_directory = true; }

SimDisk::SimDisk(const SimDisk& other)
    : short_write_percent(other.short_write_percent),
      short_read_percent(other.short_read_percent),
      slow_percent(other.slow_percent),
      slow_nanos(other.slow_nanos),
      late_write_percent(other.late_write_percent),
      late_write_span(other.late_write_span),
      place_(other.place_),
      capacity_pages_(other.capacity_pages_),
      used_pages_(other.used_pages_),
      faults_(other.faults_),
      late_(other.late_) {
  std::map<const SimInode*, SimInodeRef> copies;
  root_ = copy_of(other.root_, copies);
  for (LateWrite& write : late_) write.inode = copy_of(write.inode, copies);
  for (const auto& [from, to] : copies) CHECK_EQ(to->opens, 0u);  // a process runs on it
}

// ---- Faults
// ---------------------------------------------------------------------------------------------------------

void SimDisk::fail_nth(core::OpKind kind, std::string name_part, std::uint32_t nth, int error) {
  CHECK(nth > 0);
  faults_.push_back({kind, std::move(name_part), nth, error, false});
}

void SimDisk::fail_from(core::OpKind kind, std::string name_part, std::uint32_t nth, int error) {
  CHECK(nth > 0);
  faults_.push_back({kind, std::move(name_part), nth, error, true});
}

void SimDisk::clear_faults() { faults_.clear(); }

std::int64_t SimDisk::fault(core::OpKind kind, std::string_view name) {
  std::int64_t result = 0;
  for (Fault& each : faults_) {
    if (each.kind != kind || name.find(each.name_part) == std::string_view::npos) continue;
    if (each.countdown > 1) {
      --each.countdown;
    } else if (each.countdown == 1) {
      if (!each.for_ever) each.countdown = 0;
      result = -each.error;
    }
  }
  std::erase_if(faults_, [](const Fault& each) { return each.countdown == 0; });
  return result;
}

// ---- The end of a process
// ---------------------------------------------------------------------------------------------

void SimDisk::run_lost(SimLostOp& op, SimRandom& random) {
  switch (op.kind) {
    case core::OpKind::Write:
      (void)write(*op.inode, op.offset, op.data);
      break;
    case core::OpKind::Allocate:
      (void)allocate(*op.inode, op.offset, op.length);
      break;
    case core::OpKind::Truncate:
      (void)truncate(*op.inode, op.length);
      break;
    case core::OpKind::Sync:
      (void)sync(*op.inode, op.place, random);
      break;
    case core::OpKind::SyncDir:
      (void)sync_directory(*op.inode, op.place, random);
      break;
    case core::OpKind::MakeDir:
      (void)make_directory(op.inode, op.path);
      break;
    case core::OpKind::Unlink:
      (void)unlink(op.inode, op.path);
      break;
    case core::OpKind::Rename:
      (void)rename(op.inode, op.path, op.path_to);
      break;
    case core::OpKind::Open: {
      SimInodeRef ignored;
      if (op.open.create_exclusive) (void)open(op.inode, op.path, op.open, ignored);
      break;
    }
    default:
      break;
  }
}

void SimDisk::process_kill(std::span<SimLostOp> in_flight, SimRandom& random) {
  for (std::size_t n = in_flight.size(); n > 0; --n) {  // in an order of the dice
    std::swap(in_flight[n - 1], in_flight[random.below(n)]);
    SimLostOp& op = in_flight[n - 1];
    if (op.kind == core::OpKind::Write && random.percent(late_write_percent)) {
      late_.push_back({op.inode, op.offset, std::move(op.data),
                       static_cast<std::uint32_t>(random.between(1, std::max(late_write_span, 1u)))});
    } else if (random.coin()) {
      run_lost(op, random);
    }
  }
}

void SimDisk::power_loss(UnsyncedPolicy pages, NamesPolicy names, std::span<SimLostOp> in_flight,
                         SimRandom& random) {
  late_.clear();
  for (std::size_t n = in_flight.size(); n > 0; --n) {
    std::swap(in_flight[n - 1], in_flight[random.below(n)]);
    SimLostOp& op = in_flight[n - 1];
    const bool is_change_of_data = op.kind == core::OpKind::Write;  // its fate is the policy's
    if (is_change_of_data || random.coin()) run_lost(op, random);
  }
  std::vector<SimInode*> seen;
  used_pages_ = 0;
  after_power_loss(*root_, pages, names, random, seen);
}

void SimDisk::after_power_loss(SimInode& inode, UnsyncedPolicy pages, NamesPolicy names, SimRandom& random,
                               std::vector<SimInode*>& seen) {
  ++inode.names_count;
  if (std::ranges::find(seen, &inode) != seen.end()) return;
  seen.push_back(&inode);
  inode.names_count = 1;
  inode.opens = 0;
  inode.lock_owner = 0;
  if (!inode.is_directory) {
    inode.file.power_loss(pages, random);
    used_pages_ += inode.file.extents().pages();
    return;
  }
  for (const SimNameChange& change : inode.pending) {
    if (names == NamesPolicy::DropAll || (names == NamesPolicy::Random && random.coin())) continue;
    apply_change(inode.durable_names, change);
  }
  inode.pending.clear();
  inode.names = inode.durable_names;
  for (auto& [name, child] : inode.names) {
    child->name = name;
    after_power_loss(*child, pages, names, random, seen);
  }
}

void SimDisk::land(const LateWrite& write_op) {
  SimInode& inode = *write_op.inode;
  if (inode.names_count > 0 || inode.opens > 0) (void)write(inode, write_op.offset, write_op.data);
}

void SimDisk::tick() {
  if (late_.empty()) return;
  for (std::size_t i = 0; i < late_.size();) {
    if (--late_[i].countdown > 0) {
      ++i;
      continue;
    }
    land(late_[i]);
    late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void SimDisk::land_late_writes() {
  for (const LateWrite& each : late_) land(each);
  late_.clear();
}

// ---- Names
// --------------------------------------------------------------------------------------------------------------

SimInodeRef SimDisk::find(const SimInodeRef& from, std::string_view path) const {
  SimInodeRef at = from == nullptr || path.starts_with('/') ? root_ : from;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (!at->is_directory) return nullptr;
    const auto child = at->names.find(part);
    if (child == at->names.end()) return nullptr;
    at = child->second;
  }
  return at;
}

SimInodeRef SimDisk::find_directory(const SimInodeRef& from, std::string_view path) const {
  return find(from, path);
}

void SimDisk::change_name(SimInode& directory, std::string_view removed, std::string_view added,
                          SimInodeRef inode) {
  const SimInodeRef replaced = [&]() -> SimInodeRef {
    const auto old = directory.names.find(added.empty() ? removed : added);
    return old == directory.names.end() ? nullptr : old->second;
  }();
  SimNameChange change{place_++, std::string(removed), std::string(added), std::move(inode)};
  if (change.inode != nullptr) {
    change.inode->name = change.added;
    if (change.removed.empty()) ++change.inode->names_count;
  }
  apply_change(directory.names, change);
  if (&directory == root_.get()) {
    apply_change(directory.durable_names, change);
  } else {
    directory.pending.push_back(std::move(change));
  }
  if (replaced != nullptr) {
    --replaced->names_count;
    release_space(*replaced);
  }
}

void SimDisk::release_space(SimInode& inode) {
  if (inode.names_count == 0 && inode.opens == 0) used_pages_ -= inode.file.extents().pages();
}

void SimDisk::closed(SimInode& inode) {
  CHECK(inode.opens > 0);
  --inode.opens;
  if (inode.names_count == 0 && inode.opens == 0) release_space(inode);
}

std::int64_t SimDisk::make_directory(const SimInodeRef& from, std::string_view path) {
  const auto [parent_path, name] = split_path(path);
  const SimInodeRef parent = path.starts_with('/') && parent_path.empty() ? root_ : find(from, parent_path);
  if (parent == nullptr) return -ENOENT;
  if (!parent->is_directory) return -ENOTDIR;
  if (!is_plain_name(name)) return 0;  // "/" or "."
  if (const auto old = parent->names.find(name); old != parent->names.end()) {
    return old->second->is_directory ? 0 : -EEXIST;
  }
  auto made = std::make_shared<SimInode>();
  made->is_directory = true;
  change_name(*parent, "", name, std::move(made));
  return 0;
}

std::int64_t SimDisk::open(const SimInodeRef& directory, std::string_view name, core::OpenFlags flags,
                           SimInodeRef& out) {
  if (!is_plain_name(name)) return -EINVAL;
  const auto at = directory->names.find(name);
  if (at != directory->names.end()) {
    if (flags.create_exclusive) return -EEXIST;
    if (at->second->is_directory && flags.write) return -EISDIR;
    out = at->second;
    return 0;
  }
  if (!flags.create_exclusive) return -ENOENT;
  out = std::make_shared<SimInode>();
  change_name(*directory, "", name, out);
  return 0;
}

std::int64_t SimDisk::unlink(const SimInodeRef& directory, std::string_view name) {
  const auto at = directory->names.find(name);
  if (at == directory->names.end()) return -ENOENT;
  if (at->second->is_directory) return -EISDIR;
  change_name(*directory, name, "", nullptr);
  return 0;
}

std::int64_t SimDisk::rename(const SimInodeRef& directory, std::string_view from, std::string_view to) {
  const auto at = directory->names.find(from);
  if (at == directory->names.end()) return -ENOENT;
  if (!is_plain_name(to)) return -EINVAL;
  if (from == to) return 0;
  const auto old = directory->names.find(to);
  if (old != directory->names.end() && old->second->is_directory != at->second->is_directory) {
    return old->second->is_directory ? -EISDIR : -ENOTDIR;
  }
  change_name(*directory, from, to, at->second);
  return 0;
}

std::int64_t SimDisk::sync_directory(SimInode& directory, std::uint64_t place, SimRandom& random) {
  std::size_t covered = 0;
  while (covered < directory.pending.size() && (directory.pending[covered].place < place || random.coin())) {
    apply_change(directory.durable_names, directory.pending[covered++]);
  }
  directory.pending.erase(directory.pending.begin(),
                          directory.pending.begin() + static_cast<std::ptrdiff_t>(covered));
  return 0;
}

std::int64_t SimDisk::list(const SimInode& directory, std::vector<std::string>& out) const {
  out.clear();
  for (const auto& [name, inode] : directory.names) out.push_back(name);
  return 0;
}

// ---- Bytes
// --------------------------------------------------------------------------------------------------------------

std::int64_t SimDisk::read(SimInode& inode, std::uint64_t offset, std::span<std::byte> into) {
  if (inode.is_directory) return -EISDIR;
  return static_cast<std::int64_t>(inode.file.read(offset, into));
}

std::int64_t SimDisk::write(SimInode& inode, std::uint64_t offset, core::Bytes bytes) {
  const std::int64_t result = make_room(inode, offset, bytes.size());
  if (result <= 0) return result;
  bytes = bytes.first(static_cast<std::size_t>(result));
  inode.file.write(offset, bytes, place_++);
  return result;
}

std::int64_t SimDisk::write_durably(SimInode& inode, std::uint64_t offset, core::Bytes bytes,
                                    SimRandom& random) {
  const std::int64_t result = make_room(inode, offset, bytes.size());
  if (result <= 0) return result;
  bytes = bytes.first(static_cast<std::size_t>(result));
  if (const std::int64_t fault_of_sync = fault(core::OpKind::Sync, inode.name); fault_of_sync != 0) {
    if (random.coin()) {  // it may be there all the same
      inode.file.write_durably(offset, bytes, place_++, random);
    } else {
      inode.file.write(offset, bytes, place_);
      inode.file.drop_write(place_++);
    }
    return fault_of_sync;
  }
  inode.file.write_durably(offset, bytes, place_++, random);
  return result;
}

// How many of `length` bytes find room; they are given it.
std::int64_t SimDisk::make_room(SimInode& inode, std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return 0;
  SimExtents& extents = inode.file.extents();
  const std::uint64_t first = offset / kPageBytes;
  std::uint64_t end = page_after(offset + length);
  std::uint64_t missing = extents.missing(first, end);
  if (missing > capacity_pages_ - std::min(used_pages_, capacity_pages_)) {
    while (end > first &&
           extents.missing(first, end) > capacity_pages_ - std::min(used_pages_, capacity_pages_)) {
      --end;
    }
    if (end == first) return -ENOSPC;
    length = end * kPageBytes - offset;
    missing = extents.missing(first, end);
  }
  used_pages_ += missing;
  extents.add(first, end);
  return static_cast<std::int64_t>(length);
}

std::int64_t SimDisk::allocate(SimInode& inode, std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return -EINVAL;
  SimExtents& extents = inode.file.extents();
  const std::uint64_t first = offset / kPageBytes;
  const std::uint64_t end = page_after(offset + length);
  const std::uint64_t missing = extents.missing(first, end);
  if (missing > capacity_pages_ - std::min(used_pages_, capacity_pages_)) return -ENOSPC;
  used_pages_ += missing;
  extents.add(first, end);
  if (offset + length > inode.file.size()) inode.file.set_size(offset + length, place_++);
  return 0;
}

std::int64_t SimDisk::truncate(SimInode& inode, std::uint64_t length) {
  used_pages_ -= inode.file.extents().pages();
  inode.file.set_size(length, place_++);
  used_pages_ += inode.file.extents().pages();
  return 0;
}

std::int64_t SimDisk::sync(SimInode& inode, std::uint64_t place, SimRandom& random) {
  inode.file.sync(place, random);
  return 0;
}

// ---- For tests
// ------------------------------------------------------------------------------------------------------------

void SimDisk::make_path(std::string_view path) {
  SimInodeRef at = root_;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    CHECK_EQ(make_directory(at, part), 0);
    settle_name(*at, part);
    at = at->names.find(part)->second;
  }
}

// Makes what is known about one name durable, past and pending alike.
void SimDisk::settle_name(SimInode& directory, std::string_view name) {
  std::erase_if(directory.pending,
                [&](const SimNameChange& change) { return change.added == name || change.removed == name; });
  const auto visible = directory.names.find(name);
  if (visible != directory.names.end()) {
    directory.durable_names.insert_or_assign(std::string(name), visible->second);
  } else if (const auto old = directory.durable_names.find(name); old != directory.durable_names.end()) {
    directory.durable_names.erase(old);
  }
}

bool SimDisk::exists(std::string_view path) const { return find(nullptr, path) != nullptr; }

std::uint64_t SimDisk::size_of(std::string_view path) const {
  const SimInodeRef inode = find(nullptr, path);
  return inode == nullptr ? 0 : inode->file.size();
}

std::vector<std::byte> SimDisk::read_file(std::string_view path) const {
  const SimInodeRef inode = find(nullptr, path);
  if (inode == nullptr) return {};
  std::vector<std::byte> bytes(inode->file.size());
  (void)inode->file.read(0, bytes);
  return bytes;
}

void SimDisk::write_file(std::string_view path, core::Bytes bytes) {
  const auto [parent_path, name] = split_path(path);
  make_path(parent_path);
  const SimInodeRef parent = find(nullptr, parent_path);
  SimInodeRef inode = find(parent, name);
  if (inode == nullptr) {
    CHECK_EQ(open(parent, name, {.write = true, .create_exclusive = true}, inode), 0);
  }
  settle_name(*parent, name);
  SimRandom unused;
  (void)truncate(*inode, 0);
  CHECK_EQ(write(*inode, 0, bytes), static_cast<std::int64_t>(bytes.size()));
  (void)sync(*inode, UINT64_MAX, unused);
}

void SimDisk::remove_file(std::string_view path) {
  const auto [parent_path, name] = split_path(path);
  const SimInodeRef parent = find(nullptr, parent_path);
  if (parent == nullptr || unlink(parent, name) != 0) return;
  settle_name(*parent, name);
}

void SimDisk::flip_bit(std::string_view path, std::uint64_t offset, unsigned bit) {
  const SimInodeRef inode = find(nullptr, path);
  CHECK(inode != nullptr && offset < inode->file.size());
  inode->file.flip_bit(offset, bit);
}

std::vector<std::string> SimDisk::list_path(std::string_view path) const {
  std::vector<std::string> names;
  const SimInodeRef inode = find(nullptr, path);
  if (inode != nullptr) (void)list(*inode, names);
  return names;
}

}  // namespace penstock::sim
