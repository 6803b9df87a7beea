#include "reports/claims_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/format.h"
#include "reports/svg.h"
#include "reports/table_model.h"
#include "reports/texts.h"
#include "reports/xml_syntax.h"

namespace auxbench {
namespace {

constexpr double kWidth = 1000, kLeft = 346, kRight = 726;        // of the picture, of its panel
constexpr double kRow = 44, kHead = 130, kFoot = 54, kEdge = 16;  // heights; the empty edge
constexpr double kAside =
    11;  // seeds stand below the mean and its interval, the paper's gain above: none hides another
constexpr size_t kLabelLetters = 50, kLabelLines = 2;

// Colours that stay apart for colour-blind eyes (Okabe, Ito). A viewer that knows no dark scheme shows the light one.
constexpr const char* kStyle = R"(<style>
.paper { fill: #ffffff }
.ink { fill: #1f2328 }
.faint { fill: #59636e }
.grid { stroke: #d8dee4 }
.zero { stroke: #1f2328; stroke-width: 1.5 }
.rule { stroke: #eaeef2 }
.bar { stroke-width: 2.5; stroke-linecap: round }
.hollow { fill: none; stroke: #1f2328; stroke-width: 1.5 }
.positive { fill: #0072b2 }
.negative { fill: #d55e00 }
.open { fill: #6e7781 }
.line-positive { stroke: #0072b2 }
.line-negative { stroke: #d55e00 }
.line-open { stroke: #6e7781 }
.seed { fill-opacity: 0.55 }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117 }
.ink { fill: #e6edf3 }
.faint { fill: #9198a1 }
.grid { stroke: #30363d }
.zero { stroke: #e6edf3 }
.rule { stroke: #21262d }
.hollow { stroke: #e6edf3 }
.positive { fill: #56b4e9 }
.negative { fill: #ff8f3f }
.open { fill: #9198a1 }
.line-positive { stroke: #56b4e9 }
.line-negative { stroke: #ff8f3f }
.line-open { stroke: #9198a1 }
}
</style>
)";

struct Row {
  std::string label;
  const ClaimRow* row = nullptr;  // none: the claim's row is not in the plan
  std::string verdict;
  std::optional<double> margin;  // that the claim allows to lose
};

std::string diamond_at(double x, double y) {
  constexpr double kHalf = 6;
  return svg::shape({{x - kHalf, y}, {x, y - kHalf}, {x + kHalf, y}, {x, y + kHalf}}, "hollow");
}

// "+1.6"; beyond any metric's range in three digits, "+1.2e+09".
std::string points_text(double value) {
  if (!std::isfinite(value)) return "beyond all numbers";
  if (std::abs(value) < 1e4) return signed_text(value);
  char text[32];
  std::snprintf(text, sizeof text, "%+.3g", value);
  return text;
}

const char* style_of(Verdict verdict) {
  return verdict == Verdict::positive ? "positive" : verdict == Verdict::negative ? "negative" : "open";
}

std::optional<double> paper_gain(const ClaimRow& row) {
  if (!row.reported_before || !row.reported_after) return std::nullopt;
  return *row.reported_after - *row.reported_before;
}

// From gains to places in the panel. Single seeds, means, the paper's gains and zero are inside of it. An interval may be
// ten times as wide where seeds are few: it may widen the panel by a half on either side, and is cut off there.
class Scale {
 public:
  explicit Scale(const std::vector<Row>& rows) {
    double low = -1, high = 1, interval_low = 0, interval_high = 0;
    const auto hold = [](double value, double& least, double& most) {
      if (!std::isfinite(value)) return;
      least = std::min(least, std::clamp(value, -kBeyond, kBeyond));
      most = std::max(most, std::clamp(value, -kBeyond, kBeyond));
    };
    for (const auto& [label, row, verdict, margin] : rows) {
      if (margin) hold(-*margin, low, high);
      if (row == nullptr) continue;
      for (const double gain : row->each) hold(gain, low, high);
      if (const auto paper = paper_gain(*row)) hold(*paper, low, high);
      hold(row->gains.mean - row->gains.half_width, interval_low, interval_high);
      hold(row->gains.mean + row->gains.half_width, interval_low, interval_high);
    }
    const double half = (high - low) / 2;
    low_ = std::min(low, std::max(interval_low, low - half));
    high_ = std::max(high, std::min(interval_high, high + half));
    const double margin = (high_ - low_) * 0.04;
    low_ -= margin;
    high_ += margin;
  }

  [[nodiscard]] double x(double gain) const {
    const double inside = std::isfinite(gain) ? std::clamp(gain, low_, high_) : gain < 0 ? low_ : high_;
    return kLeft + (inside - low_) / (high_ - low_) * (kRight - kLeft);
  }
  [[nodiscard]] bool holds(double gain) const { return gain >= low_ && gain <= high_; }

  [[nodiscard]] std::vector<double> ticks() const { return svg::ticks(low_, high_); }

 private:
  static constexpr double kBeyond = 1e9;  // points: no metric says more
  double low_ = -1, high_ = 1;
};

std::vector<Row> rows_of(const ReportModel& model) {
  std::vector<Row> rows;
  for (const auto& claim : model.claims) {
    const auto texts = claim_texts(claim);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto* row = claim.rows.empty() ? nullptr : &claim.rows[i];
      rows.push_back({.label = texts[i].text,
                      .row = row,
                      .verdict = verdict_text(row ? row->verdict : Verdict::no_data, claim.margin),
                      .margin = claim.margin});
    }
  }
  return rows;
}

// The report says what each claim is held against.
std::string axis_title(const ReportModel& model) {
  const bool others = std::any_of(model.claims.begin(), model.claims.end(),
                                  [](const ClaimModel& claim) { return !claim.against.empty(); });
  return others ? "gain" : "gain over the baseline";
}

// "points of top-1"; where claims are of several metrics, of each table's first.
std::string unit_of(const ReportModel& model) {
  std::string metric;
  for (const auto& claim : model.claims) {
    if (claim.rows.empty()) continue;
    if (!metric.empty() && claim.metric != metric) return "points of each table's first metric";
    metric = claim.metric;
  }
  return "points of " + (metric.empty() ? "the metric" : metric_title(metric));
}

class Drawing {
 public:
  Drawing(const Plan& plan, const ReportModel& model)
      : plan_(plan), axis_title_(axis_title(model)), unit_(unit_of(model)), rows_(rows_of(model)), scale_(rows_) {}

  [[nodiscard]] std::string render() const {
    const double bottom = kHead + kRow * static_cast<double>(rows_.size()), height = bottom + kFoot;
    std::string body = head();
    for (size_t i = 0; i < rows_.size(); ++i) {
      const double top = kHead + kRow * static_cast<double>(i);
      body += svg::line_at(kEdge, top, kWidth - kEdge, top, "rule");
    }
    body += axis(bottom);
    for (size_t i = 0; i < rows_.size(); ++i) body += draw(rows_[i], kHead + kRow * static_cast<double>(i));
    return svg::picture(kWidth, height, plan_.title + ": gains of each claim with their 95 % intervals", kStyle, body);
  }

 private:
  [[nodiscard]] std::string head() const {
    const auto title = wrapped(plan_.title, 105, 1);
    std::string text =
        svg::text_at(kEdge, 26, "class=\"ink\" font-size=\"16\" font-weight=\"600\"", title.empty() ? "" : title[0]);
    std::string tier = "Tier " + plan_.tier;
    if (plan_.proxy) tier += ", a proxy that is not comparable with the paper's gains: " + plan_.proxy_reason;
    const auto lines = wrapped(tier, 135, 2);
    for (size_t i = 0; i < lines.size(); ++i)
      text += svg::text_at(kEdge, 46 + 16 * static_cast<double>(i), "class=\"faint\"", lines[i]);
    const double y = 86;
    text += svg::line_at(kEdge, y, kEdge + 28, y, "bar line-open") + svg::circle_at(kEdge + 14, y, 5, "open");
    text += svg::text_at(kEdge + 36, y + 4, "class=\"ink\"", "mean and its 95 % interval");
    text += svg::circle_at(kEdge + 218, y, 2.5, "seed open") +
            svg::text_at(kEdge + 228, y + 4, "class=\"ink\"", "one seed");
    text += diamond_at(kEdge + 306, y) + svg::text_at(kEdge + 318, y + 4, "class=\"ink\"", "the paper");
    text += svg::text_at(kRight, y + 4, "class=\"ink\" text-anchor=\"end\" font-weight=\"600\"",
                         axis_title_ + ", " + unit_);
    return text;
  }

  [[nodiscard]] std::string axis(double bottom) const {
    std::string text;
    for (const double tick : scale_.ticks()) {
      const double x = scale_.x(tick);
      text += svg::line_at(x, kHead - 6, x, bottom + 6, tick == 0 ? "zero" : "grid");
      for (const double y : {kHead - 12, bottom + 20})
        text += svg::text_at(x, y, "class=\"faint\" font-size=\"11\" text-anchor=\"middle\"", svg::tick_text(tick));
    }
    const bool margins = std::any_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.margin.has_value(); });
    return text + svg::text_at((kLeft + kRight) / 2, bottom + 40, "class=\"faint\" text-anchor=\"middle\"",
                               unit_ + (margins ? "; a short line: the loss that a claim allows" : ""));
  }

  [[nodiscard]] std::string draw(const Row& row, double top) const {
    const double middle = top + kRow / 2;
    std::string text;
    const auto label = wrapped(row.label, kLabelLetters, kLabelLines);
    for (size_t i = 0; i < label.size(); ++i)
      text +=
          svg::text_at(kEdge, middle + 4 + 15 * (static_cast<double>(i) - 0.5 * static_cast<double>(label.size() - 1)),
                       "class=\"ink\"", label[i]);
    const auto style = std::string(style_of(row.row ? row.row->verdict : Verdict::no_data));
    text += svg::text_at(kRight + 16, middle - 3, "class=\"" + style + "\" font-weight=\"600\"", row.verdict);
    if (row.margin)
      text += svg::line_at(scale_.x(-*row.margin), top + 6, scale_.x(-*row.margin), top + kRow - 6, "zero");
    if (row.row == nullptr) return text;
    if (const auto paper = paper_gain(*row.row)) text += diamond_at(scale_.x(*paper), middle - kAside);
    text += numbers(*row.row, middle + 13);
    const auto& gains = row.row->gains;
    if (gains.count == 1) text += svg::circle_at(scale_.x(gains.mean), middle, 3.5, "seed " + style);
    if (gains.count < 2) return text;
    for (const double gain : row.row->each)
      text += svg::circle_at(scale_.x(gain), middle + kAside, 2.5, "seed " + style);
    return text + interval(gains, middle, style) + svg::circle_at(scale_.x(gains.mean), middle, 5, style);
  }

  // Its ends are caps, or heads of arrows where it goes on beyond the panel.
  [[nodiscard]] std::string interval(const Summary& gains, double y, const std::string& style) const {
    const double low = gains.mean - gains.half_width, high = gains.mean + gains.half_width;
    std::string text = svg::line_at(scale_.x(low), y, scale_.x(high), y, "bar line-" + style);
    for (const auto& [end, side] : {std::pair(low, -1.0), std::pair(high, 1.0)}) {
      const double x = scale_.x(end);
      text += scale_.holds(end) ? svg::line_at(x, y - 5, x, y + 5, "bar line-" + style)
                                : svg::shape({{x + side * 6, y}, {x - side * 3, y - 5}, {x - side * 3, y + 5}}, style);
    }
    return text;
  }

  // "+1.6, +0.8 .. +2.3, n = 7; paper +2.0".
  [[nodiscard]] static std::string numbers(const ClaimRow& row, double y) {
    std::string text;
    const auto& gains = row.gains;
    if (gains.count > 0) text = points_text(gains.mean);
    if (gains.count > 1)
      text += ", " + points_text(gains.mean - gains.half_width) + " .. " + points_text(gains.mean + gains.half_width);
    if (gains.count > 0) text += ", n = " + std::to_string(gains.count);
    if (const auto paper = paper_gain(row)) text += (text.empty() ? "paper " : "; paper ") + points_text(*paper);
    return text.empty() ? text : svg::text_at(kRight + 16, y, "class=\"faint\" font-size=\"11\"", text);
  }

  const Plan& plan_;
  std::string axis_title_, unit_;
  std::vector<Row> rows_;
  Scale scale_;
};

}  // namespace

std::string render_claims_plot(const ReportInput& input) {
  if (input.plan.claims.empty()) return {};
  const auto model = make_report_model(input.plan, input.records);
  return Drawing(input.plan, model).render();
}

}  // namespace auxbench
