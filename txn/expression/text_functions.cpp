// Functions of strings. Positions and lengths count characters where Doris counts characters (substr, left, lpad,
// instr), bytes in length(). upper and lower change ASCII letters only.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "txn/expression/function.hpp"
#include "txn/expression/text_pattern.hpp"

namespace penstock::txn {
namespace {

bool is_inside(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Bytes of the first `count` characters (all of them, if there are fewer).
std::size_t bytes_of(std::string_view text, std::size_t count) {
  if (count >= text.size()) return text.size();
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && is_inside(text[at])) ++at;
    --count;
  }
  return at;
}
std::size_t characters_of(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_inside));
}
// What a count that someone wrote is good for here.
std::size_t clamp_count(Int128 count) {
  constexpr Int128 kMost = std::size_t{1} << 40;
  return static_cast<std::size_t>(std::clamp<Int128>(count, 0, kMost));
}

// f(row) gives the text of each row that is not NULL.
template <class F>
void each_text(Vector& out, F f) {
  each_row(out, [&](std::size_t row) { out.texts[row] = f(row); });
}

// Room for `size` bytes that `write` fills.
template <class F>
std::string_view made(Evaluation& evaluation, std::size_t size, F write) {
  char* const room = evaluation.text.make(size);
  if (room == nullptr) return kEmptyText;
  write(room);
  return {room, size};
}
char* put(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

void concat(Evaluation& evaluation, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    std::size_t size = 0;
    for (const Vector* arg : args) size += arg->text(row).size();
    return made(evaluation, size, [&](char* to) {
      for (const Vector* arg : args) to = put(to, arg->text(row));
    });
  });
}

void concat_ws(Evaluation& evaluation, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    if (args[0]->is_null(row)) {
      set_null(out, row);
      continue;
    }
    const std::string_view separator = args[0]->text(row);
    const Args parts = args.subspan(1);
    std::size_t size = 0;
    bool any = false;
    for (const Vector* part : parts) {
      if (part->is_null(row)) continue;
      size += part->text(row).size() + (any ? separator.size() : 0);
      any = true;
    }
    out.texts[row] = made(evaluation, size, [&](char* to) {
      bool first = true;
      for (const Vector* part : parts) {
        if (part->is_null(row)) continue;
        if (!first) to = put(to, separator);
        to = put(to, part->text(row));
        first = false;
      }
    });
  }
}

// From 1; negative positions count from the end; nothing is at 0.
std::string_view part_of(std::string_view text, Int128 position, std::size_t count) {
  if (position == 0) return kEmptyText;
  if (position < 0) {
    const auto characters = static_cast<Int128>(characters_of(text));
    if (-position > characters) return kEmptyText;
    position = characters + position + 1;
  }
  const std::string_view rest = text.substr(bytes_of(text, clamp_count(position - 1)));
  return rest.substr(0, bytes_of(rest, count));
}
void substr(Evaluation&, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    const std::size_t count = args.size() == 3 ? clamp_count(args[2]->number(row)) : SIZE_MAX;
    return part_of(args[0]->text(row), args[1]->number(row), count);
  });
}
void left(Evaluation&, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    const std::string_view text = args[0]->text(row);
    return text.substr(0, bytes_of(text, clamp_count(args[1]->number(row))));
  });
}
void right(Evaluation&, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    const std::string_view text = args[0]->text(row);
    const std::size_t wanted = clamp_count(args[1]->number(row));
    const std::size_t characters = characters_of(text);
    return wanted >= characters ? text : text.substr(bytes_of(text, characters - wanted));
  });
}

template <char kFirst, char kLast, int kShift>
void change_case(Evaluation& evaluation, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    const std::string_view text = args[0]->text(row);
    return made(evaluation, text.size(), [&](char* to) {
      for (const char c : text) *to++ = c >= kFirst && c <= kLast ? static_cast<char>(c + kShift) : c;
    });
  });
}

template <bool kLeft, bool kRight>
void trim(Evaluation&, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    std::string_view text = args[0]->text(row);
    const std::string_view what = args.size() == 2 ? args[1]->text(row) : std::string_view(" ");
    if (what.empty()) return text;
    while (kLeft && text.starts_with(what)) text.remove_prefix(what.size());
    while (kRight && text.ends_with(what)) text.remove_suffix(what.size());
    return text;
  });
}

void replace(Evaluation& evaluation, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    const std::string_view text = args[0]->text(row);
    const std::string_view what = args[1]->text(row);
    const std::string_view with = args[2]->text(row);
    if (what.empty()) return text;
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++found;
    if (found == 0) return text;
    return made(evaluation, text.size() - found * what.size() + found * with.size(), [&](char* to) {
      std::size_t from = 0;
      for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, from)) {
        to = put(put(to, text.substr(from, at - from)), with);
        from = at + what.size();
      }
      put(to, text.substr(from));
    });
  });
}

// To `wanted` characters: cut, or filled up with the pad again and again.
template <bool kAtTheLeft>
void pad(Evaluation& evaluation, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const std::string_view text = args[0]->text(row);
    const std::string_view with = args[2]->text(row);
    if (args[1]->number(row) < 0) return set_null(out, row);
    const std::size_t wanted = clamp_count(args[1]->number(row));
    const std::size_t characters = characters_of(text);
    if (wanted <= characters) {
      out.texts[row] = text.substr(0, bytes_of(text, wanted));
      return;
    }
    if (with.empty()) {
      out.texts[row] = kEmptyText;
      return;
    }
    const std::size_t missing = wanted - characters;
    const std::size_t pad_characters = std::max<std::size_t>(characters_of(with), 1);
    const std::size_t whole = missing / pad_characters;
    const std::string_view last = with.substr(0, bytes_of(with, missing % pad_characters));
    if (whole > TextRoom::kBytesMax / with.size()) {
      evaluation.text.make(TextRoom::kBytesMax + 1);  // says that it is over
      return;
    }
    out.texts[row] = made(evaluation, text.size() + whole * with.size() + last.size(), [&](char* to) {
      if (!kAtTheLeft) to = put(to, text);
      for (std::size_t i = 0; i < whole; ++i) to = put(to, with);
      to = put(to, last);
      if (kAtTheLeft) put(to, text);
    });
  });
}

void repeat(Evaluation& evaluation, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) -> std::string_view {
    const std::string_view text = args[0]->text(row);
    const std::size_t count = clamp_count(args[1]->number(row));
    if (text.empty() || count == 0) return kEmptyText;
    if (count > TextRoom::kBytesMax / text.size()) {
      evaluation.text.make(TextRoom::kBytesMax + 1);
      return kEmptyText;
    }
    return made(evaluation, text.size() * count, [&](char* to) {
      for (std::size_t i = 0; i < count; ++i) to = put(to, text);
    });
  });
}

void reverse(Evaluation& evaluation, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) {
    const std::string_view text = args[0]->text(row);
    return made(evaluation, text.size(), [&](char* to) {
      for (std::size_t end = text.size(); end > 0;) {
        std::size_t begin = end - 1;
        while (begin > 0 && is_inside(text[begin])) --begin;
        to = put(to, text.substr(begin, end - begin));
        end = begin;
      }
    });
  });
}

void length(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) { out.numbers[row] = static_cast<Int128>(args[0]->text(row).size()); });
}
void char_length(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    out.numbers[row] = static_cast<Int128>(characters_of(args[0]->text(row)));
  });
}
void ascii(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    const std::string_view text = args[0]->text(row);
    out.numbers[row] = text.empty() ? 0 : static_cast<unsigned char>(text[0]);
  });
}

Int128 position_of(std::string_view text, std::string_view what, std::size_t from) {
  const std::size_t at = text.find(what, from);
  return at == text.npos ? 0 : static_cast<Int128>(characters_of(text.substr(0, at)) + 1);
}
void instr(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    out.numbers[row] = position_of(args[0]->text(row), args[1]->text(row), 0);
  });
}
void locate(Evaluation&, Args args, Vector& out) {  // what, text, from
  each_row(out, [&](std::size_t row) {
    const std::string_view text = args[1]->text(row);
    const Int128 from = args.size() == 3 ? args[2]->number(row) : 1;
    if (from < 1 || from > static_cast<Int128>(characters_of(text)) + 1) return;
    out.numbers[row] = position_of(text, args[0]->text(row), bytes_of(text, clamp_count(from - 1)));
  });
}
void starts_with(Evaluation&, Args args, Vector& out) {
  each_row(out,
           [&](std::size_t row) { out.numbers[row] = args[0]->text(row).starts_with(args[1]->text(row)); });
}
void ends_with(Evaluation&, Args args, Vector& out) {
  each_row(out,
           [&](std::size_t row) { out.numbers[row] = args[0]->text(row).ends_with(args[1]->text(row)); });
}

// The n-th part, from 1, or from the end with -1; NULL where there is none.
void split_part(Evaluation&, Args args, Vector& out) {
  each_row(out, [&](std::size_t row) {
    std::string_view text = args[0]->text(row);
    const std::string_view mark = args[1]->text(row);
    Int128 wanted = args[2]->number(row);
    if (wanted == 0 || mark.empty()) return set_null(out, row);
    for (; wanted > 1; --wanted) {
      const std::size_t at = text.find(mark);
      if (at == text.npos) return set_null(out, row);
      text.remove_prefix(at + mark.size());
    }
    for (; wanted < -1; ++wanted) {
      const std::size_t at = text.rfind(mark);
      if (at == text.npos) return set_null(out, row);
      text = text.substr(0, at);
    }
    if (wanted == 1) {
      const std::size_t end = text.find(mark);
      // A text without the mark has no parts at all.
      if (end == text.npos && text.size() == args[0]->text(row).size()) return set_null(out, row);
      out.texts[row] = text.substr(0, end);
    } else {
      const std::size_t begin = text.rfind(mark);
      if (begin == text.npos && text.size() == args[0]->text(row).size()) return set_null(out, row);
      out.texts[row] = begin == text.npos ? text : text.substr(begin + mark.size());
    }
  });
}

// Everything before the n-th mark; with -n everything behind the n-th from the end.
void substring_index(Evaluation&, Args args, Vector& out) {
  each_text(out, [&](std::size_t row) -> std::string_view {
    const std::string_view text = args[0]->text(row);
    const std::string_view mark = args[1]->text(row);
    Int128 count = args[2]->number(row);
    if (count == 0 || mark.empty()) return kEmptyText;
    std::size_t at = count > 0 ? text.find(mark) : text.rfind(mark);
    for (; count > 1 && at != text.npos; --count) at = text.find(mark, at + mark.size());
    for (; count < -1 && at != text.npos; ++count) at = text.substr(0, at).rfind(mark);
    if (at == text.npos) return text;
    return count > 0 ? text.substr(0, at) : text.substr(at + mark.size());
  });
}

void null_or_empty(Evaluation&, Args args, Vector& out) {
  for (std::size_t row = 0; row < out.nulls.size(); ++row) {
    out.numbers[row] = args[0]->is_null(row) || args[0]->text(row).empty() ? 1 : 0;
  }
}

void like(Evaluation&, Args args, Vector& out) {
  each_row(out,
           [&](std::size_t row) { out.numbers[row] = matches_like(args[0]->text(row), args[1]->text(row)); });
}

template <const EVP_MD* (*kDigest)()>
void digest(Evaluation& evaluation, Args args, Vector& out) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  each_row(out, [&](std::size_t row) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool ok = context != nullptr && EVP_DigestInit_ex(context.get(), kDigest(), nullptr) == 1;
    for (const Vector* arg : args) {
      ok = ok && EVP_DigestUpdate(context.get(), arg->text(row).data(), arg->text(row).size()) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(context.get(), bytes, &size) == 1;
    if (!ok) return set_null(out, row);
    out.texts[row] = made(evaluation, std::size_t{2} * size, [&](char* to) {
      constexpr char kDigits[] = "0123456789abcdef";
      for (unsigned i = 0; i < size; ++i) {
        *to++ = kDigits[bytes[i] >> 4];
        *to++ = kDigits[bytes[i] & 15];
      }
    });
  });
}

constexpr auto kTable = std::to_array<Function>({
    {"concat", 1, Function::kAny, "s", 's', concat},
    {"concat_ws", 2, Function::kAny, "s", 's', concat_ws, true},
    {"substr", 2, 3, "sii", 's', substr},
    {"substring", 2, 3, "sii", 's', substr},
    {"mid", 2, 3, "sii", 's', substr},
    {"left", 2, 2, "si", 's', left},
    {"strleft", 2, 2, "si", 's', left},
    {"right", 2, 2, "si", 's', right},
    {"strright", 2, 2, "si", 's', right},
    {"upper", 1, 1, "s", 's', change_case<'a', 'z', 'A' - 'a'>},
    {"ucase", 1, 1, "s", 's', change_case<'a', 'z', 'A' - 'a'>},
    {"lower", 1, 1, "s", 's', change_case<'A', 'Z', 'a' - 'A'>},
    {"lcase", 1, 1, "s", 's', change_case<'A', 'Z', 'a' - 'A'>},
    {"trim", 1, 2, "ss", 's', trim<true, true>},
    {"ltrim", 1, 2, "ss", 's', trim<true, false>},
    {"rtrim", 1, 2, "ss", 's', trim<false, true>},
    {"replace", 3, 3, "sss", 's', replace},
    {"lpad", 3, 3, "sis", 's', pad<true>},
    {"rpad", 3, 3, "sis", 's', pad<false>},
    {"repeat", 2, 2, "si", 's', repeat},
    {"reverse", 1, 1, "s", 's', reverse},
    {"length", 1, 1, "s", 'i', length},
    {"char_length", 1, 1, "s", 'i', char_length},
    {"character_length", 1, 1, "s", 'i', char_length},
    {"ascii", 1, 1, "s", 'i', ascii},
    {"instr", 2, 2, "ss", 'i', instr},
    {"locate", 2, 3, "ssi", 'i', locate},
    {"starts_with", 2, 2, "ss", 'b', starts_with},
    {"ends_with", 2, 2, "ss", 'b', ends_with},
    {"split_part", 3, 3, "ssi", 's', split_part},
    {"substring_index", 3, 3, "ssi", 's', substring_index},
    {"null_or_empty", 1, 1, "s", 'b', null_or_empty, true},
    {"op:like", 2, 2, "ss", 'b', like},
    {"md5", 1, 1, "s", 's', digest<EVP_md5>},
    {"md5sum", 1, Function::kAny, "s", 's', digest<EVP_md5>},
    {"sha1", 1, 1, "s", 's', digest<EVP_sha1>},
    {"sha", 1, 1, "s", 's', digest<EVP_sha1>},
});

}  // namespace

std::span<const Function> text_functions() { return kTable; }

}  // namespace penstock::txn
