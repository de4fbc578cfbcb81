// What was lost, in words.
import {h} from './dom.js';
import {whole} from './format.js';

// The sentences of server/core/loss.h.
const LOSSES = {
  kernel_drop: 'datagrams that the kernel dropped because a buffer was full',
  truncated: 'datagrams longer than could be read',
  queue_full: 'datagrams for which --queue-memory had no room',
  disk_full: 'records that could not be written to the database',
  evicted: 'samples removed by --retention-age or --retention-samples',
  series_limit: 'samples of series beyond --max-series',
  evicted_events: 'events removed by --retention-age',
  evicted_checks: 'service checks removed by --retention-age',
  evicted_rejects: 'rejects removed by --retention-age',
  evicted_bodies: 'bodies of requests removed by --retention-age or --retention-bodies',
  unwritten: 'or more records that are still on their way into this file',
  refused: 'stream connections that were refused, with what had been sent over them',
  bad_frame: 'stream connections that sent bytes which are no frame: these bytes, and what came after them',
  unixgram_full: 'looks that found a Unix datagram socket full: a client that does not wait may have dropped data',
  injected: 'datagrams dropped on purpose (statwit fault)',
  stopped: 'datagrams that had come in and could not be stored before the server ended',
  unclean_end: 'recorder that ended without a clean stop, with what it had not written down',
};

export function lossList(losses) {
  const lost = Object.entries(losses).filter(([, n]) => n > 0);
  return lost.length ? h('ul', {class: 'losses'}, lost.map(([word, n]) => h('li', null, h('b', null, whole(n)), ' ', LOSSES[word] || word)))
    : h('p', null, '✓ Nothing was lost: every verdict on this recording stands on all that was sent.');
}
