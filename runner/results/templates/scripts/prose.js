// Prompts side by side: which words went and which came.

const LONGEST = 1500;

// Words and signs, with the blanks before them: [[kind, text]], kind is "same", "gone" or "new". By the longest common subsequence.
function wordDiff(before, now) {
  const token = /\s*(?:[\p{L}\p{N}_'’-]+|\S|$)/gu;
  const a = before.match(token), b = now.match(token);
  if (a.length > LONGEST || b.length > LONGEST) return [["gone", before], ["new", now]];
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const made = [];
  const tell = (kind, text) => {
    if (made.at(-1)?.[0] === kind) made.at(-1)[1] += text;
    else made.push([kind, text]);
  };
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { tell("same", a[i]); i += 1; j += 1; }
    else if (j === b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) { tell("gone", a[i]); i += 1; }
    else { tell("new", b[j]); j += 1; }
  }
  return made;
}

function diffed(before, now) {
  const tags = { same: "span", gone: "del", new: "ins" };
  return element("p", { className: "text diff", dir: "auto" }, ...wordDiff(before, now).map(([kind, text]) => element(tags[kind], {}, text)));
}
