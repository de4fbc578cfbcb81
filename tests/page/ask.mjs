// ask.mjs URL TIMES [QUERY]: how many milliseconds each `expect` of the session `other`, or each GET of the query, took, as a list.
const [url, times, query = ''] = process.argv.slice(2), list = [];
const expect = {method: 'POST', body: JSON.stringify({session: 'other', expect: ['incr mine sum == 1'], keep: false})};
const first = query ? 1 : 10; // the client's own beginning
for (let i = 0; i < Number(times) + first; i++) {
  const began = performance.now();
  const answer = await (i < first && query ? fetch(`${url}/`) : query ? fetch(`${url}/recorder/v1/${query}`) : fetch(`${url}/recorder/v1/expect`, expect));
  await answer.text();
  if (i >= first) list.push(performance.now() - began);
  await new Promise((resolve) => setTimeout(resolve, 15));
}
console.log(JSON.stringify(list));
