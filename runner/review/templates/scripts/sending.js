// What is said goes to the server and is on its disk before more is shown; while the server does not answer, it is kept
// here and sent again. A page without a server keeps it in the browser until it is saved as a file.

let isSending = false;
let tries = 0;
const PAUSE = 1000;

function status(text, isBad = false) {
  byId("saved").textContent = text;
  byId("saved").classList.toggle("bad", isBad);
}

// The answer of the server, as an object. What it refuses for good is thrown.
async function ask(path, document) {
  const options = document === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(document),
  };
  const answer = await fetch(path, { cache: "no-store", ...options });
  if (answer.ok) return answer.json();
  const text = await answer.text();
  if (answer.status >= 500) throw new Error(text);
  throw Object.assign(new Error(text), { isFinal: true });
}

// Asks until there is an answer: every second, however long it takes.
async function insist(path, document) {
  isSending = true;
  try {
    for (tries = 0; ; tries += 1) {
      try {
        const answer = await ask(path, document);
        status("");
        return answer;
      } catch (error) {
        if (error.isFinal) {
          status(error.message, true);
          return null;
        }
        const why = error instanceof TypeError ? "The server does not answer" : error.message;
        const what = document === undefined ? "" : " Your last answer is kept here and sent again.";
        status(`${why}.${what} Is 'reelrun review' still running?`, true);
        await after(PAUSE);
      }
    }
  } finally {
    isSending = false;
  }
}

const server = {
  shown: () => insist(`shown/${mode}`),
  say: (document) => insist("said", document),
  undo: () => insist(`undone/${mode}`, {}),
};
