// Where JSON values end, in text that comes in pieces: brackets counted, strings left alone.
//
// Journey:  JsonDecoder -> [JsonBrackets: one object or array, JsonElements: those of an outer array].
// Shard:    any; values.
// Promise:  each byte is looked at once, 64 at a time; nothing is held, however long or deep a value is. Where values
//           end does not depend on where the text was cut.
// Failure:  JsonElements::Step::Kind::Malformed. What is between an element's brackets is not judged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::txn {

class JsonBrackets {
 public:
  // The first text begins with the opening bracket. Gives the place behind the closing one, or npos; then go on with
  // what follows. After an end it is as new.
  std::size_t find_end(std::string_view text);
  bool is_inside() const { return depth_ != 0; }

 private:
  std::size_t scan_block(const char* at);

  std::uint64_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

class JsonElements {
 public:
  struct Step {
    enum class Kind : std::uint8_t {
      More,  // all text was looked at; an element that is not whole yet lies at [begin, end)
      Element,  // one ends at `end`; it began at `begin`, or is what lay at the end of the text before and [0, end)
      Done,       // the array ends at `end`
      Malformed,  // at `end`
    };
    Kind kind;
    std::size_t begin;
    std::size_t end;
  };
  // Goes on from where it was: call it with the text behind the last step's `end`. The first text begins with blanks or
  // the bracket.
  Step next(std::string_view text);
  bool is_done() const { return place_ == Place::Done; }
  bool has_elements() const { return has_elements_; }

 private:
  enum class Place : std::uint8_t {
    Bracket,
    FirstElement,
    Element,
    Container,
    Scalar,
    ScalarString,
    Comma,
    Done
  };
  Step scalar_step(std::string_view text, std::size_t begin);

  Place place_ = Place::Bracket;
  JsonBrackets brackets_;
  bool escaped_ = false;
  bool has_elements_ = false;
};

}  // namespace penstock::txn
