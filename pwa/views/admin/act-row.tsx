import { Button } from '../parts/button.tsx'

/** Something that can be done, with a sentence of what it means before anybody is asked. */
export function ActRow({
  title,
  text,
  grave = false,
  onAsk,
}: {
  title: string
  text: string
  grave?: boolean
  onAsk: () => void
}) {
  return (
    <li>
      <div>
        <p class="settings-row-name">{title}</p>
        <p class="quiet">{text}</p>
      </div>
      <Button tone={grave ? 'grave' : 'plain'} onClick={onAsk}>
        {title}
      </Button>
    </li>
  )
}
