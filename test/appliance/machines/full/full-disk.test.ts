/** The data disk is filled by what people upload: they are told, and nothing that was acknowledged is lost. */
import { randomBytes } from 'node:crypto'
import test, { registerCompletionHandler } from 'ava'
import { SiteMachine } from '../golden.ts'

registerCompletionHandler(() => process.exit())

test('with a full disk uploads are refused, the messages are there, and a restart finds them', async t => {
  // Just larger than is needed: the data partition gets what two slots leave over.
  const size = { diskGiB: 4.7 }
  const own = await SiteMachine.fromStick(t, 'full-disk', size)
  const { site, people } = own
  await people.say('before the disk is full')

  const file = randomBytes(16 * 1024 * 1024)
  let refusal: Response | undefined
  for (let i = 0; i < 200 && !refusal; i++) {
    const answer = await site.fetch(`${site.origin}/_matrix/media/v3/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${people.amalsToken}`, 'content-type': 'application/octet-stream' },
      body: file,
    })
    if (answer.status !== 200) refusal = answer
    else await answer.arrayBuffer()
  }
  t.truthy(refusal, 'at some time there is no room any more')
  t.log(`${refusal!.status} ${await refusal!.text()}`)
  const expected = people.messages.map(({ text }) => text)
  t.deepEqual(await people.readAll(), expected)

  await own.machine.cut()
  await own.powerOn(t, size)
  await own.serves()
  t.deepEqual(await people.readAll(), expected)
})
