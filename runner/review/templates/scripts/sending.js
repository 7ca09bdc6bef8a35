// What is said goes to the server and is on its disk before more is shown; while the server does not answer, it is kept
// here and sent again. A page without a server keeps it in the browser until it is saved as a file.

const PAUSE = 1000;
// A line that is cut may stay silent for minutes.
const SILENCE = 15_000;

function status(text, isBad = false) {
  byId("saved").textContent = text;
  byId("saved").classList.toggle("bad", isBad);
}

// The answer of the server, as an object. What it refuses for good is thrown.
async function ask(path, said) {
  const options = said === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(said),
  };
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(SILENCE), ...options });
  if (answer.ok) return answer.json();
  const text = await answer.text();
  if (answer.status >= 500) throw new Error(text);
  throw Object.assign(new Error(text), { isFinal: true });
}

// Asks until there is an answer: every second, however long it takes.
async function insist(path, said) {
  const before = document.body.dataset.state;
  enter("sending");
  for (;;) {
    try {
      const answer = await ask(path, said);
      status("");
      enter(before);
      return answer;
    } catch (error) {
      if (error.isFinal) {
        status(error.message, true);
        enter(before);
        return null;
      }
      const why = error instanceof TypeError || error.name === "TimeoutError" ? "The server does not answer" : error.message;
      const what = said === undefined ? "" : " Your last answer is kept here and sent again.";
      status(`${why}.${what} Is 'reelrun review' still running?`, true);
      await after(PAUSE);
    }
  }
}

const server = {
  shown: () => insist(`shown/${mode}`),
  say: (said) => insist("said", said),
  undo: () => insist(`undone/${mode}`, {}),
};
