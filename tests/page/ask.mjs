// ask.mjs URL TIMES: how many milliseconds each `expect` of the session `other` took, as a list.
const [url, times] = process.argv.slice(2), list = [];
for (let i = 0; i < Number(times) + 10; i++) {
  const began = performance.now();
  const answer = await fetch(`${url}/recorder/v1/expect`, {method: 'POST', body: JSON.stringify({session: 'other', expect: ['incr mine sum == 1'], keep: false})});
  await answer.json();
  if (i >= 10) list.push(performance.now() - began); // the first ones are the client's own beginning
  await new Promise((resolve) => setTimeout(resolve, 15));
}
console.log(JSON.stringify(list));
