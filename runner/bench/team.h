// The threads of a measurement: where they run.
#pragma once

#include <set>
#include <vector>

namespace auxbench::bench {

// The first `threads` processors this process may use. Throws UserError(usage) where there are fewer.
std::vector<int> processors_for(int threads);

// The calling thread runs on one processor for as long as this lives; threads it starts begin there.
class Bound {
 public:
  explicit Bound(int processor);
  ~Bound();
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

 private:
  std::set<int> before_;
};

// Finds threads that libraries started and binds them: the first new one to processors[1], and so on. Whichever
// library's they are: their owners start a team when it first works.
class Team {
 public:
  explicit Team(std::vector<int> processors);
  void bind_new();
  [[nodiscard]] int threads() const { return static_cast<int>(processors_.size()); }
  [[nodiscard]] const std::vector<int>& processors() const { return processors_; }

 private:
  std::vector<int> processors_;
  std::set<int> known_;
};

}  // namespace auxbench::bench
